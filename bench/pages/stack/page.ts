/**
 * Our stack in parts, in a page: real RTCPeerConnections without a port between, blocks in memory. What a raw libp2p
 * stream and the core reach here tells how much of a transfer's cost is libp2p, Bitswap, or the worker and its store.
 */
import type { Libp2p, Stream } from '@libp2p/interface'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { NodeService } from '../../../src/contract/node-api.ts'
import { createAddressPolicy } from '../../../src/core/network/address-policy.ts'
import { libp2pOptions, type NetworkServices } from '../../../src/core/network/libp2p.ts'
import { createRelays } from '../../../src/core/network/relays.ts'
import { createNode } from '../../../src/core/node.ts'
import { webFetch } from '../../../src/platform/worker/web-fetch.ts'
import { createMemoryBlockTable, createMemoryStateTable, createDatastore } from '../../../src/core/storage/index.ts'

const PROTOCOL = '/pocket-bench/1.0.0'
const CHUNK_BYTES = 1024 * 1024
const network = { online: () => true, watch: () => () => undefined }

/** The core over stores in memory, as it would run in a worker. */
export function startCore(relay: string): Promise<NodeService> {
  const ports = {
    blocks: createMemoryBlockTable(undefined, { maxBytes: 1024 ** 3 }),
    state: createMemoryStateTable(),
    network,
    fetch: webFetch,
    webrtc: { state: () => 'available' as const, watch: () => () => undefined },
  }
  return createNode(ports, { host: 'shared-worker', relays: [relay] })
}

/** libp2p alone, with the options of the core; answers a request for bytes with so many of them. */
export async function startLibp2p(relay: string): Promise<Libp2p<NetworkServices>> {
  const policy = createAddressPolicy()
  const libp2p = await createLibp2p(
    libp2pOptions({
      privateKey: await generateKeyPair('Ed25519'),
      datastore: createDatastore(createMemoryStateTable()),
      policy,
      webrtc: true,
    }),
  )
  await libp2p.handle(PROTOCOL, (stream) => void serve(stream))
  const reserved = Promise.withResolvers<void>()
  const relays = createRelays({
    libp2p,
    policy,
    network,
    onChange: () => relays.list().some(({ state }) => state === 'reserved') && reserved.resolve(),
  })
  relays.set([{ addr: multiaddr(relay), origin: 'site' }])
  await reserved.promise
  return libp2p
}

/** The address at which another browser dials it directly. */
export function webRtcAddress(libp2p: Libp2p): string {
  return chooseWebRtc(libp2p.getMultiaddrs().map(String))
}

/** Waits for the relay and adds content. */
export async function offer(node: NodeService, content: Uint8Array): Promise<{ cid: string; address: string }> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const watching = node.watch((event) => {
    if (event.type === 'status' && event.status.reachable) resolve()
  })
  await promise
  watching.stop()
  const { cid } = await node.add(content)
  return { cid, address: chooseWebRtc((await node.id()).multiaddrs) }
}

/** Fetches what was offered; ms without the dial. */
export async function fetchOffer(
  node: NodeService,
  { cid, address }: { cid: string; address: string },
): Promise<number> {
  await insist((signal) => node.dial(address, { signal }))
  const start = performance.now()
  await node.pin.add(cid)
  const ms = performance.now() - start
  await node.pin.rm(cid)
  return ms
}

function chooseWebRtc(addresses: string[]): string {
  const address = addresses.find((one) => /\/webrtc(\/|$)/.test(one))
  if (address === undefined) throw new Error('no WebRTC address')
  return address
}

/**
 * One dial in sixteen hangs in @libp2p/webrtc when the far side closes its 'init' channel before the near side looks. The
 * worker's WebRTC holds that close back; here are the browser's own.
 */
async function insist<T>(dial: (signal: AbortSignal) => Promise<T>): Promise<T> {
  for (let left = 3; ; left--) {
    try {
      return await dial(AbortSignal.timeout(6_000))
    } catch (error) {
      if (left === 0) throw error
    }
  }
}

/** Asks for `bytes` over one new stream; ms from opening it to the last byte. */
export async function request(libp2p: Libp2p, address: string, bytes: number): Promise<number> {
  const connection = await insist((signal) => libp2p.dial(multiaddr(address), { signal }))
  if (!/\/webrtc(\/|$)/.test(connection.remoteAddr.toString())) throw new Error('not direct')
  const start = performance.now()
  const stream = await connection.newStream(PROTOCOL)
  const done = new Promise<void>((resolve, reject) => {
    let got = 0
    stream.addEventListener('message', ({ data }) => {
      got += data.byteLength
      if (got >= bytes) resolve()
    })
    stream.addEventListener('close', () => reject(new Error(`closed after ${got} of ${bytes} bytes`)))
  })
  stream.send(new TextEncoder().encode(`${bytes}\n`))
  await done
  const ms = performance.now() - start
  await stream.close()
  return ms
}

async function serve(stream: Stream): Promise<void> {
  const decoder = new TextDecoder()
  let asked = ''
  for await (const data of stream) {
    asked += decoder.decode(data.subarray(), { stream: true })
    if (asked.endsWith('\n')) break
  }
  const chunk = new Uint8Array(CHUNK_BYTES)
  for (let left = Number(asked); left > 0; left -= CHUNK_BYTES) {
    if (!stream.send(left < CHUNK_BYTES ? chunk.subarray(0, left) : chunk)) await stream.onDrain()
  }
  await stream.close()
}
