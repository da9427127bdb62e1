import type { PocketHelia } from '../helia.ts'
import type { Relays } from '../network/relays.ts'
import type { Connectivity } from './connectivity.ts'

export interface EnforceInit {
  connectivity: Connectivity
  libp2p: PocketHelia['libp2p']
  relays: Pick<Relays, 'hold'>
  /** Ends the runs that may not go on, and tries those that may. */
  review: () => void
}

/** Makes the node keep to its profile, now and with each change; returns what stops it. */
export function enforceProfile({ connectivity, libp2p, relays, review }: EnforceInit): () => void {
  const apply = (): void => {
    const { connections, relays: held } = connectivity.allows()
    const isQuiet = connectivity.state().quiet !== undefined
    libp2p.services.door.limit(connections)
    libp2p.services.door.close(isQuiet)
    relays.hold(isQuiet ? 0 : held)
    // What does not answer within its time-out is ended by libp2p.
    if (isQuiet) for (const connection of libp2p.getConnections()) connection.close().catch(() => undefined)
    review()
  }
  apply()
  return connectivity.watch(apply)
}
