import { isPeerId, type Connection, type Libp2p } from '@libp2p/interface'
import { isDirect } from './peers.ts'

/**
 * Makes `dialProtocol(peerId, …)` use a connection that is open, relayed ones included where the caller allows them.
 * libp2p's connection manager passes over limited connections and dials again, for every Bitswap message; and the side
 * that was dialled, which knows no address of the other, cannot answer at all. It can go when `openConnection` regards
 * `runOnLimitedConnection` (libp2p 3.3 does not, since libp2p/js-libp2p#2187).
 */
export function useOpenConnections(libp2p: Libp2p): void {
  const dialProtocol = libp2p.dialProtocol.bind(libp2p)
  libp2p.dialProtocol = async (target, protocols, options = {}) => {
    if (isPeerId(target) && options.runOnLimitedConnection === true) {
      const connection = best(libp2p.getConnections(target))
      if (connection !== undefined) return connection.newStream(protocols, options)
    }
    return dialProtocol(target, protocols, options)
  }
}

/** Direct before relayed, and the newest: an older one may be dead without knowing it. */
function best(connections: Connection[]): Connection | undefined {
  const rank = (each: Connection): number => (isDirect(each.remoteAddr) ? 2 : 0) + (each.limits === undefined ? 1 : 0)
  return connections
    .filter((each) => each.status === 'open')
    .sort((a, b) => rank(b) - rank(a) || b.timeline.open - a.timeline.open)[0]
}
