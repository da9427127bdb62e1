import type { Multiaddr } from '@multiformats/multiaddr'
import type { RelayStatus } from '../../contract/node-api.ts'
import { isPocketError } from '../../shared/errors.ts'
import type { StateTable } from '../ports.ts'
import { parseMultiaddr } from './multiaddr.ts'

export interface KnownRelay {
  addr: Multiaddr
  origin: RelayStatus['origin']
}

/** Which relays to use: those of the app's companion and those that a person set, which are kept. */
export interface RelayList {
  /** Each once; one that is in both lists is the site's, since it stays when the person's list changes. */
  all(): KnownRelay[]
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
    all() {
      const known = [
        ...own.map((addr): KnownRelay => ({ addr, origin: 'own' })),
        ...given.map((addr): KnownRelay => ({ addr, origin: 'site' })),
      ]
      return [...new Map(known.map((relay) => [relay.addr.toString(), relay])).values()]
    },
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
