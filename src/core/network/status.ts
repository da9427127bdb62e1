import type { Libp2p } from '@libp2p/interface'
import type { NodeStatus, StorageState } from '../../contract/node-api.ts'
import { toWireError } from '../../shared/errors.ts'
import type { Connectivity } from '../connectivity/connectivity.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import type { HostPorts } from '../ports.ts'
import type { PocketBlockstore } from '../storage/index.ts'
import { isDirect } from './peers.ts'
import type { NetworkStart } from './start.ts'
import type { Relays } from './relays.ts'

export interface StatusInit {
  ports: HostPorts
  libp2p: Libp2p
  relays: Relays
  connectivity: Connectivity
  life: Lifecycle
  blocks: PocketBlockstore
  host: NodeStatus['host']
  startedAt: number
  start: NetworkStart
}

/** The node in one record, at once: nothing here waits. */
export function describeStatus(state: NodeStatus['state'], init: StatusInit): NodeStatus {
  const { ports, libp2p, relays, blocks, host, startedAt, connectivity, life } = init
  const error = init.start.error()
  const connections = libp2p.getConnections()
  const peersOf = (list: typeof connections): number => new Set(list.map((each) => each.remotePeer.toString())).size
  return {
    state,
    ...(error === undefined ? {} : { error: toWireError(error) }),
    host,
    online: ports.network.online(),
    reachable: libp2p.getMultiaddrs().some((addr) => addr.toString().includes('/p2p-circuit')),
    peers: peersOf(connections),
    directPeers: peersOf(connections.filter((connection) => isDirect(connection.remoteAddr))),
    relays: relays.list(),
    webrtc: ports.webrtc.state(),
    storage: describeStorage(blocks),
    life: life.status(),
    profile: connectivity.state(),
    startedAt,
  }
}

function describeStorage(blocks: PocketBlockstore): StorageState {
  const { kind, code = 'ERR_STORAGE_UNAVAILABLE', blocks: count, bytes } = blocks.stat()
  const totals = { blocks: count, bytes }
  return kind === 'persistent' ? { kind, ...totals } : { kind, ...totals, code }
}
