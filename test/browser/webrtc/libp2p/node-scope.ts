// First, as in the app's own worker.
import { lentWebRtc } from '../../../../src/platform/worker/webrtc/install.ts'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { webRTC } from '@libp2p/webrtc'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { bytes, same } from '../kit.ts'
import { portTransport } from './port-transport.ts'
import type { NodeAnswer, NodeRequest } from './protocol.ts'

/** A worker with a libp2p node: real @libp2p/webrtc on WebRTC that a page lends. */
const ECHO = '/test/echo/1.0.0'
let node: Libp2p | undefined

const scope = globalThis as unknown as { onconnect: (event: MessageEvent) => void }
scope.onconnect = ({ ports: [port] }) => {
  if (port === undefined) return
  port.onmessage = async ({ data }: MessageEvent<NodeRequest & { id: number }>) => {
    const answer = (body: NodeAnswer): void => port.postMessage({ ...body, id: data.id })
    try {
      answer({ type: 'answer', value: await handle(data, port) })
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
      answer({ type: 'failed', error: String(error), code })
    }
  }
}

async function handle(request: NodeRequest, port: MessagePort): Promise<unknown> {
  if (request.type === 'lend') return lend(request.port)
  if (request.type === 'start') return (node = await start(request, port)).getMultiaddrs().map(String)
  if (node === undefined) throw new Error('not started')
  switch (request.type) {
    case 'dial': {
      const began = performance.now()
      await node.dial(multiaddr(request.addr), { signal: AbortSignal.timeout(request.timeout), force: true })
      return performance.now() - began
    }
    case 'hangUp':
      return node.hangUp(peerIdFromString(request.peer))
    case 'echo':
      return echo(node, request.peer, request.size)
    case 'alone':
      return alone(node)
  }
}

function lend(port: MessagePort): Promise<void> | void {
  lentWebRtc.attach(port)
  if (lentWebRtc.state() === 'available') return
  return new Promise((resolve) => {
    const stop = lentWebRtc.watch(() => {
      stop()
      resolve()
    })
  })
}

async function start({ relay, listen }: { relay: string; listen: boolean }, port: MessagePort): Promise<Libp2p> {
  const dial = (): MessagePort => {
    const channel = new MessageChannel()
    port.postMessage({ type: 'relay' }, [channel.port2])
    return channel.port1
  }
  const started = await createLibp2p({
    addresses: { listen: listen ? [`${relay}/p2p-circuit`, '/webrtc'] : [] },
    transports: [portTransport({ dial }), circuitRelayTransport(), webRTC({ rtcConfiguration: { iceServers: [] } })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // All who come by the relay count as one host.
    connectionManager: { inboundConnectionThreshold: Infinity },
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: identify() },
  })
  await started.handle(ECHO, async (stream) => {
    for await (const chunk of stream) {
      if (!stream.send(chunk)) await stream.onDrain()
    }
    await stream.close()
  })
  if (!listen) return started
  // The reservation is made in the background.
  while (!started.getMultiaddrs().some((addr) => addr.toString().includes('/webrtc/'))) {
    await new Promise((resolve) => started.addEventListener('self:peer:update', resolve, { once: true }))
  }
  return started
}

async function echo(node: Libp2p, peer: string, size: number): Promise<boolean> {
  const [connection] = node.getConnections(peerIdFromString(peer)).filter(({ limits }) => limits === undefined)
  if (connection === undefined) throw new Error('There is no direct connection')
  const stream = await connection.newStream(ECHO)
  const sent = bytes(size)
  const got = new Uint8Array(size)
  let at = 0
  const reading = (async () => {
    for await (const chunk of stream) {
      got.set(chunk.subarray(), at)
      at += chunk.byteLength
    }
  })()
  for (let from = 0; from < size; from += 65_536) {
    if (!stream.send(sent.subarray(from, from + 65_536))) await stream.onDrain()
  }
  await stream.close()
  await reading
  return at === size && same(sent, got)
}

async function alone(node: Libp2p): Promise<void> {
  const direct = (): boolean =>
    node.getConnections().some(({ remoteAddr }) => remoteAddr.toString().includes('/webrtc'))
  while (direct()) await new Promise((resolve) => node.addEventListener('connection:close', resolve, { once: true }))
}
