import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { withCircuits } from './circuits.ts'
import { LISTEN_MARKER, createUpgradeTransport } from './upgrade-transport.ts'
import type { PrivateKey } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { WebSocket } from 'ws'
import type { CompanionConfig } from '../config.ts'
import type { CircuitsConfig } from './circuits.ts'
import type { ClientAddress } from '../server/client-address.ts'

/** The libp2p half of the companion: circuit relay v2 (libp2p specs, relay/circuit-v2.md), identify and ping. */
export interface Relay {
  readonly peerId: string
  /** Takes an upgraded socket; resolves or rejects when its libp2p hand-shake has ended. */
  accept(socket: WebSocket, client: ClientAddress): Promise<void>
  /** The addresses given at creation are others now. */
  addressesChanged(): void
  stats(): { peers: number; reservations: number }
  stop(): Promise<void>
}

export type RelayConfig = CircuitsConfig &
  Pick<CompanionConfig, 'maxPeers' | 'maxPendingUpgrades' | 'pingIntervalMs' | 'maxReservations' | 'reservationSeconds'>

export interface RelayInit {
  config: RelayConfig
  privateKey: PrivateKey
  /** What phones dial, without peer id; asked again whenever it is told to somebody. */
  addresses: () => Multiaddr[]
  /** As others see it: name and version. */
  agent: string
}

/** Bytes. */
const STREAM_WINDOW = 1024 * 1024

export async function startRelay({ config, privateKey, addresses, agent }: RelayInit): Promise<Relay> {
  const upgrades = createUpgradeTransport(addresses)
  const suffix = `/p2p/${peerIdFromPrivateKey(privateKey).toString()}`
  const node = await createLibp2p({
    privateKey,
    nodeInfo: { userAgent: agent },
    addresses: {
      listen: [LISTEN_MARKER],
      // Exactly the companion's own addresses: what clients claim to observe of a public one would be announced otherwise,
      // and a public address that nobody has verified would not be.
      announceFilter: () => addresses().map((address) => address.encapsulate(suffix)),
    },
    transports: [(components) => upgrades.create(components)],
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({
        keepAliveInterval: config.pingIntervalMs,
        // What one stream may hold here while the other side of a circuit does not read: below maxReadBufferLength, past
        // which js-libp2p resets a stream that is held back. 1 MiB still carries 20 MiB/s at 50 ms.
        streamOptions: { maxStreamWindowSize: STREAM_WINDOW, maxReadBufferLength: 4 * STREAM_WINDOW },
      }),
    ],
    connectionManager: {
      maxConnections: config.maxPeers,
      maxIncomingPendingConnections: config.maxPendingUpgrades,
      inboundUpgradeTimeout: config.upgradeTimeoutMs,
      // Counted in front, by an address that a proxy does not hide, and refused with a sentence.
      inboundConnectionThreshold: Number.MAX_SAFE_INTEGER,
    },
    connectionMonitor: { pingInterval: config.pingIntervalMs },
    services: {
      identify: identify(),
      // A phone that wakes asks beside its own monitor; libp2p takes two, and one of them may be still closing.
      ping: ping({ maxInboundStreams: 4 }),
      relay: withCircuits(
        circuitRelayServer({
          // Two more: renewing a reservation is a hop stream as well.
          maxInboundHopStreams: config.maxCircuitsPerPeer + 2,
          reservations: {
            maxReservations: config.maxReservations,
            reservationTtl: config.reservationSeconds * 1000,
            // Told to the phone with its reservation. js-libp2p would enforce the duration as milliseconds, but the
            // specification and this relay's circuits mean seconds.
            defaultDataLimit: BigInt(config.circuitBytes),
            defaultDurationLimit: config.circuitSeconds,
          },
        }),
        config,
      ),
    },
  })

  const { reservations } = node.services.relay
  // Circuit relay v2: a reservation is void once its peer has disconnected. js-libp2p keeps it for its whole time, so a
  // relay of passing phones would be full of ghosts. The timer goes too: it would delete the phone's next reservation.
  node.addEventListener('peer:disconnect', ({ detail: peer }) => {
    reservations.get(peer)?.signal.clear()
    reservations.delete(peer)
    // What identify stored of it would stay for six hours each.
    void node.peerStore.delete(peer).catch(() => undefined)
  })

  return {
    peerId: node.peerId.toString(),
    accept: (socket, client) => upgrades.accept(socket, client),
    addressesChanged: () => upgrades.addressesChanged(),
    stats: () => ({ peers: node.getPeers().length, reservations: reservations.size }),
    stop: async () => node.stop(),
  }
}
