import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'

export interface TestRelay extends AsyncDisposable {
  /** WebSocket on loopback, the peer id included. */
  addr: string
  stop(): Promise<void>
  /** As a tunnel or a crash: the connections end, the relay goes on. */
  dropConnections(): Promise<void>
  /** How many connections others have made to it. */
  accepted(): number
}

/** A real circuit relay on loopback. */
export async function startRelay({ maxReservations = 100 } = {}): Promise<TestRelay> {
  const libp2p = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: Infinity },
    services: {
      identify: identify(),
      relay: circuitRelayServer({
        reservations: { maxReservations, defaultDataLimit: BigInt(1 << 30), defaultDurationLimit: 3_600_000 },
      }),
    },
  })
  const addr = libp2p.getMultiaddrs()[0]?.toString() ?? ''
  const stop = async (): Promise<void> => libp2p.stop()
  const dropConnections = async (): Promise<void> => {
    for (const connection of libp2p.getConnections()) await connection.close()
  }
  let count = 0
  libp2p.addEventListener('connection:open', ({ detail }) => {
    if (detail.direction === 'inbound') count++
  })
  return { addr, stop, dropConnections, accepted: () => count, [Symbol.asyncDispose]: stop }
}
