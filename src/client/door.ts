import { DOOR_CHANNEL, linkChannel, parseDoorMessage, type DoorMessage } from '../contract/host-link.ts'
import { delay } from './clock.ts'

/** Asked again this often, in ms; a host that opens says so by itself. */
const KNOCK_MS = 500

/**
 * Finds the host that owns the node, by whatever kind of worker it runs, and opens a channel to it.
 * @param ignore hosts that are not to be had here, by their id
 * @returns undefined when the signal fired first
 */
export async function knock(
  clientId: string,
  ignore: (hostId: string) => boolean,
  signal: AbortSignal,
): Promise<BroadcastChannel | undefined> {
  const door = new BroadcastChannel(DOOR_CHANNEL)
  try {
    const found = new AbortController()
    const either = AbortSignal.any([signal, found.signal])
    let hostId: string | undefined
    const ask = (): void => door.postMessage({ type: 'knock', clientId } satisfies DoorMessage)
    door.onmessage = ({ data }: MessageEvent<unknown>) => {
      const message = tryParse(data)
      if (message === undefined || message.type === 'knock' || ignore(message.hostId)) return
      if (message.type === 'open') return ask()
      if (message.clientId !== clientId) return
      hostId = message.hostId
      found.abort()
    }
    while (!either.aborted) {
      ask()
      await delay(KNOCK_MS, either)
    }
    return hostId === undefined || signal.aborted ? undefined : new BroadcastChannel(linkChannel(clientId, hostId))
  } finally {
    door.close()
  }
}

function tryParse(data: unknown): DoorMessage | undefined {
  try {
    return parseDoorMessage(data)
  } catch {
    return undefined
  }
}
