import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { PrivateKey } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webRTC } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { webTransport } from '@libp2p/webtransport'
import { yamux } from '@libp2p/yamux'
import type { Datastore } from 'interface-datastore'
import type { Libp2pOptions } from 'libp2p'
import { LIMITS } from '../../shared/limits.ts'
import { addressOrder } from './address-order.ts'
import type { AddressPolicy } from './address-policy.ts'
import { door, type Door, type DoorState } from './door.ts'
import { relayListener, type RelayListener } from './relay-listener.ts'

export interface NetworkInit {
  privateKey: PrivateKey
  datastore: Datastore
  policy: AddressPolicy
  /** Whether some page of this browser can lend WebRTC: else it must not be announced. */
  webrtc: boolean
  /** Which of a peer's transports is dialled first, now. */
  first?: () => 'webtransport' | 'websocket'
  metrics?: NonNullable<Libp2pOptions['metrics']>
}

export interface NetworkServices extends Record<string, unknown> {
  identify: ReturnType<ReturnType<typeof identify>>
  ping: ReturnType<ReturnType<typeof ping>>
  relayListener: RelayListener
  door: Door
}

/**
 * Bytes of a message on a data channel. The default of 16 KiB is for go and rust peers, who speak webrtc-direct; what
 * speaks `/webrtc` is js-libp2p in a browser, whose channels take 256 KiB and lose a quarter of their throughput at 16
 * (ADR 2).
 */
const WEBRTC_MESSAGE_BYTES = 128 * 1024

/** Exported for what asks beside libp2p's own monitor, lifecycle/wake.ts, to be tried with. */
export const PING_OPTIONS = { maxInboundStreams: LIMITS.maxPings, maxOutboundStreams: LIMITS.maxPings }

/** What identify tells peers: name and version, nothing of the phone. */
export const AGENT = 'pocket-ipfs/0.1.0'

/**
 * Everything about libp2p that is not its default, in one place. No bootstrap peers, no DHT, no peer discovery: this
 * node knows the relays it is given and the peers that links name. Limits and their reasons: shared/limits.ts.
 */
export function libp2pOptions(init: NetworkInit): Libp2pOptions<NetworkServices> {
  const doorState: DoorState = { closed: false }
  return {
    privateKey: init.privateKey,
    datastore: init.datastore,
    nodeInfo: { name: 'pocket-ipfs', version: '0.1.0', userAgent: AGENT },
    // Circuit addresses are listened on one by one, by relays.ts, when a relay is there.
    addresses: { listen: init.webrtc ? ['/webrtc'] : [] },
    transports: [
      webSockets(),
      webTransport(),
      circuitRelayTransport({ reservationConcurrency: 2 }),
      // `iceServers: []`: else libp2p's default asks public STUN servers for every connection.
      ...(init.webrtc
        ? [webRTC({ rtcConfiguration: { iceServers: [] }, dataChannel: { maxMessageSize: WEBRTC_MESSAGE_BYTES } })]
        : []),
    ],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: {
      denyDialMultiaddr: (addr) => doorState.closed || init.policy.denies(addr),
      denyInboundConnection: () => doorState.closed,
    },
    ...(init.metrics === undefined ? {} : { metrics: init.metrics }),
    connectionManager: {
      maxConnections: LIMITS.maxConnections,
      maxParallelDials: LIMITS.maxParallelDials,
      maxDialQueueLength: LIMITS.maxDialQueue,
      maxPeerAddrsToDial: LIMITS.maxAddrsPerPeer,
      dialTimeout: LIMITS.dialTimeoutMs,
      addressSorter: addressOrder(init.first ?? (() => 'websocket')),
      inboundConnectionThreshold: LIMITS.inboundPerSecond,
      inboundUpgradeTimeout: LIMITS.inboundUpgradeTimeoutMs,
      // relays.ts redials relays itself, and at once when the network is back.
      reconnectRetries: 0,
    },
    services: { identify: identify(), ping: ping(PING_OPTIONS), relayListener: relayListener(), door: door(doorState) },
  }
}
