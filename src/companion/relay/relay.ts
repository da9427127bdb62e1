import { RELAY_V2_HOP_CODEC, RELAY_V2_STOP_CODEC, circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { LISTEN_MARKER, createUpgradeTransport } from './upgrade-transport.ts'
import type { ConnectionGater, PeerId, PrivateKey } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { WebSocket } from 'ws'
import type { CompanionConfig } from '../config.ts'
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

export type RelayConfig = Pick<
  CompanionConfig,
  | 'maxPeers'
  | 'maxPendingUpgrades'
  | 'upgradeTimeoutMs'
  | 'pingIntervalMs'
  | 'maxReservations'
  | 'reservationSeconds'
  | 'circuitBytes'
  | 'circuitSeconds'
  | 'maxCircuitsPerPeer'
>

export interface RelayInit {
  config: RelayConfig
  privateKey: PrivateKey
  /** What phones dial, without peer id; asked again whenever it is told to somebody. */
  addresses: () => Multiaddr[]
  /** As others see it: name and version. */
  agent: string
}

export async function startRelay({ config, privateKey, addresses, agent }: RelayInit): Promise<Relay> {
  const upgrades = createUpgradeTransport(addresses)
  const gater: ConnectionGater = {}
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
    streamMuxers: [yamux()],
    connectionGater: gater,
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
      ping: ping(),
      relay: circuitRelayServer({
        // Two more: renewing a reservation is a hop stream as well.
        maxInboundHopStreams: config.maxCircuitsPerPeer + 2,
        maxOutboundStopStreams: config.maxCircuitsPerPeer,
        reservations: {
          maxReservations: config.maxReservations,
          reservationTtl: config.reservationSeconds * 1000,
          defaultDataLimit: BigInt(config.circuitBytes),
          // js-libp2p enforces this number as milliseconds and sends it as what the specification calls seconds: the phone
          // is told a thousandfold. It is the relay that ends the circuit, so milliseconds it is.
          defaultDurationLimit: config.circuitSeconds * 1000,
        },
      }),
    },
  })

  const circuits = (peer: PeerId, protocol: string): number =>
    node
      .getConnections(peer)
      .flatMap((connection) => connection.streams)
      .filter((stream) => stream.protocol === protocol).length
  // libp2p limits streams of one connection; a phone may have several connections.
  gater.denyOutboundRelayedConnection = (source, destination) =>
    circuits(source, RELAY_V2_HOP_CODEC) > config.maxCircuitsPerPeer ||
    circuits(destination, RELAY_V2_STOP_CODEC) >= config.maxCircuitsPerPeer

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
