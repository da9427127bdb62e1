import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'

export interface TestRelay extends AsyncDisposable {
  /** WebSocket on loopback, the peer id included. */
  addr: string
  port: number
  stop(): Promise<void>
}

/** A real circuit relay on loopback. */
export async function startRelay({
  port = 0,
  privateKey,
}: { port?: number; privateKey?: never } = {}): Promise<TestRelay> {
  const libp2p = await createLibp2p({
    ...(privateKey === undefined ? {} : { privateKey }),
    addresses: { listen: [`/ip4/127.0.0.1/tcp/${port}/ws`] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: Infinity },
    services: {
      identify: identify(),
      relay: circuitRelayServer({
        reservations: { maxReservations: 100, defaultDataLimit: BigInt(1 << 30), defaultDurationLimit: 3_600_000 },
      }),
    },
  })
  const addr = libp2p.getMultiaddrs()[0]?.toString() ?? ''
  const stop = async (): Promise<void> => libp2p.stop()
  return { addr, port: Number(/tcp\/(\d+)/.exec(addr)?.[1]), stop, [Symbol.asyncDispose]: stop }
}
