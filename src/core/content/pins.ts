import type { Pin } from '../../contract/node-api.ts'
import { PocketError } from '../../shared/errors.ts'
import type { StateTable } from '../ports.ts'

/** What a person keeps. One record a root: which blocks that means is in the blocks themselves. */
export interface PinSet {
  /** Newest first. */
  list(): Pin[]
  get(cid: string): Pin | undefined
  /** Resolves after the commit. */
  put(pin: Pin): Promise<void>
  /** @throws PocketError ERR_PATH_NOT_FOUND when it is not pinned */
  remove(cid: string): Promise<void>
}

const PREFIX = 'pin:'

export async function openPinSet(state: StateTable): Promise<PinSet> {
  const pins = new Map<string, Pin>()
  for (const [key, value] of await state.entries(PREFIX)) {
    // A record that does not parse is kept on disk and passed over: losing the list to one of them would be worse.
    if (isPin(value)) pins.set(key.slice(PREFIX.length), value)
  }
  return {
    list: () => [...pins.values()].sort((a, b) => b.addedAt - a.addedAt),
    get: (cid) => pins.get(cid),
    async put(pin) {
      await state.set(PREFIX + pin.cid, pin)
      pins.set(pin.cid, pin)
    },
    async remove(cid) {
      if (!pins.has(cid)) throw new PocketError('ERR_PATH_NOT_FOUND', 'It is not pinned', { detail: { cid } })
      await state.delete(PREFIX + cid)
      pins.delete(cid)
    },
  }
}

function isPin(value: unknown): value is Pin {
  if (typeof value !== 'object' || value === null) return false
  const { cid, name, size, type, addedAt, origin } = value as Partial<Record<keyof Pin, unknown>>
  return (
    typeof cid === 'string' &&
    typeof name === 'string' &&
    typeof size === 'number' &&
    (type === 'file' || type === 'directory') &&
    typeof addedAt === 'number' &&
    (origin === 'added' || origin === 'received')
  )
}
