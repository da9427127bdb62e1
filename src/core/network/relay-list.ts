import type { Multiaddr } from '@multiformats/multiaddr'
import { isPocketError } from '../../shared/errors.ts'
import type { StateTable } from '../ports.ts'
import { parseMultiaddr } from './relays.ts'

/** Which relays to use: those of the app's companion and those that a person set, which are kept. */
export interface RelayList {
  all(): Multiaddr[]
  /** Adds relays that a page learnt from its companion; those that do not parse are passed over. */
  offer(addrs: string[]): void
  /** Replaces the person's. Resolves after the commit. */
  set(addrs: Multiaddr[]): Promise<void>
}

const KEY = 'settings:relays'

export async function createRelayList(state: StateTable, companion: string[]): Promise<RelayList> {
  const saved = await state.get(KEY)
  let own = parseKnownGood(Array.isArray(saved) ? saved.filter((addr) => typeof addr === 'string') : [])
  let given = parseKnownGood(companion)
  return {
    all: () => [...new Map([...given, ...own].map((addr) => [addr.toString(), addr])).values()],
    offer: (addrs) => void (given = [...given, ...parseKnownGood(addrs)]),
    async set(addrs) {
      await state.set(KEY, addrs.map(String))
      own = addrs
    },
  }
}

/** Those that parse: one bad entry of a companion must not cost the others. */
function parseKnownGood(addrs: string[]): Multiaddr[] {
  return addrs.flatMap((addr) => {
    try {
      return [parseMultiaddr(addr)]
    } catch (error) {
      if (isPocketError(error, 'ERR_INVALID_MULTIADDR')) return []
      throw error
    }
  })
}
