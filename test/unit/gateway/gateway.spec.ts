import { identify } from '@libp2p/identify'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import type { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeHeader, encodeSectionHead } from '../../../src/core/car/encode.ts'
import { addContent } from '../../support/node/add-content.ts'
import { createBlockSource } from '../../../src/core/content/block-source.ts'
import { httpGet } from '../../../src/core/gateway/http-client.ts'
import { HTTP_PROTOCOL } from '../../../src/core/gateway/http-head.ts'
import { createGateway } from '../../../src/core/gateway/http-server.ts'
import { createBlockstore, createMemoryBlockTable, type PocketBlockstore } from '../../../src/core/storage/index.ts'
import { createHttpSource } from '../../../src/core/transfers/sources/http-source.ts'
import type { Part } from '../../../src/core/transfers/sources/part.ts'
import { askPeer } from '../../../src/core/transfers/sources/peer-ask.ts'
import { createSink } from '../../../src/core/transfers/sources/sink.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { randomBytes } from '../../support/node/node.ts'

const MiB = 1024 * 1024
const bytes = randomBytes(10 * MiB + 5)
let server: Libp2p
let client: Libp2p
let blocks: PocketBlockstore
let file: CID
let folder: CID
/** What the server does with the next stream; the gateway by default. */
let answer: ((stream: Stream) => void) | undefined

async function host(listen: string[]): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  })
}

beforeAll(async () => {
  server = await host(['/ip4/127.0.0.1/tcp/0/ws'])
  client = await host([])
  blocks = await createBlockstore(createMemoryBlockTable())
  const add = async (source: Parameters<typeof addContent>[0]): Promise<CID> =>
    (await addContent(source, { blocks, signal: new AbortController().signal, onProgress: () => undefined })).cid
  file = await add(bytes)
  folder = await add([
    { path: 'a/x', content: randomBytes(10) },
    { path: 'a/y', content: randomBytes(20) },
  ])
  const source = createBlockSource({ networked: blocks, local: blocks })
  const gateway = createGateway(source)
  await server.handle(HTTP_PROTOCOL, (stream, connection) => {
    if (answer !== undefined) answer(stream)
    else void gateway.serve(stream, connection)
  })
})

afterAll(async () => {
  await client.stop()
  await server.stop()
})

async function connection(): Promise<Connection> {
  return client.dial(server.getMultiaddrs())
}

async function openStreams(): Promise<number> {
  return (await connection()).streams.filter(({ protocol }) => protocol === HTTP_PROTOCOL).length
}

async function get(path: string, accept = ''): Promise<{ status: number; type: string; body: Uint8Array }> {
  const stream = await (await connection()).newStream(HTTP_PROTOCOL)
  const { status, headers, body } = await httpGet(stream, path, accept)
  const chunks = await Array.fromAsync(body)
  return { status, type: headers.get('content-type') ?? '', body: new Uint8Array(Buffer.concat(chunks)) }
}

async function fetchInto(
  to: PocketBlockstore,
  root: CID,
  range?: { from: number; to: number },
  signal = AbortSignal.timeout(10_000),
): Promise<number> {
  let count = 0
  const open = await connection()
  const source = createHttpSource({ kind: 'peer', id: 'server', lanes: 1, ask: askPeer(() => open) })
  const part: Part = range === undefined ? { kind: 'dag', root, size: 1 } : { kind: 'range', root, ...range }
  await source.bring(part, {
    signal,
    store: createBlockSource({ networked: to, local: to }),
    sink: createSink({ blocks: to, onStored: () => count++ }),
    alive: () => undefined,
    blockwise: false,
  })
  return count
}

describe('the gateway over libp2p', () => {
  it('answers a block as raw', async () => {
    const { status, type, body } = await get(`/ipfs/${file.toString()}?format=raw`)
    expect({ status, type }).toEqual({ status: 200, type: 'application/vnd.ipld.raw' })
    expect(body.byteLength).toBeGreaterThan(400)
  })

  it('sends a whole DAG as CAR', async () => {
    const to = await createBlockstore(createMemoryBlockTable())
    expect(await fetchInto(to, file)).toBe(12)
    const cat = createBlockSource({ networked: to, local: to })
    expect((await cat.getLocal(file)).byteLength).toBeGreaterThan(400)
  })

  it.each([
    [0, MiB - 1, 2],
    [MiB - 1, MiB, 3],
    [3 * MiB, 5 * MiB - 1, 3],
    [10 * MiB, 10 * MiB + 4, 2],
  ])('sends the blocks of bytes %i to %i only', async (from, to, count) => {
    expect(await fetchInto(await createBlockstore(createMemoryBlockTable()), file, { from, to })).toBe(count)
  })

  it('counts a range from the end too', async () => {
    const { status, body } = await get(`/ipfs/${file.toString()}?format=car&entity-bytes=-5:*`)
    expect(status).toBe(200)
    expect(body.byteLength).toBeLessThan(2000)
  })

  it('sends a folder as an entity without its files', async () => {
    const whole = await get(`/ipfs/${folder.toString()}?format=car`)
    const entity = await get(`/ipfs/${folder.toString()}?format=car&dag-scope=entity`)
    expect(entity.body.byteLength).toBeLessThan(whole.body.byteLength)
  })

  it.each([
    ['/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy?format=raw', 404],
    ['/ipfs/nope?format=raw', 400],
    ['/../../etc/passwd', 400],
    ['/ipfs/bafyreigaknpexyvxt76zgkitavbwx6ejgfheup5oybpm77f3pxzrvwpfdi?format=raw', 501],
    ['/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy', 400],
    ['/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy?format=car&dag-scope=x', 400],
    ['/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy?format=car&entity-bytes=a:b', 400],
  ])('answers %s with %i', async (path, status) => {
    expect((await get(path)).status).toBe(status)
  })

  it.each([
    ['noise', new Uint8Array(20_000).fill(65)],
    ['another method', new TextEncoder().encode('PUT /ipfs/x HTTP/1.1\r\n\r\n')],
    ['a header without a name', new TextEncoder().encode('GET / HTTP/1.1\r\n: x\r\n\r\n')],
  ])('answers %s with 400 or an end, and lives on', async (_what, request) => {
    const stream = await (await connection()).newStream(HTTP_PROTOCOL)
    stream.send(request)
    const chunks = await Array.fromAsync(stream).catch(() => [])
    const text = new TextDecoder().decode(Buffer.concat(chunks.map((chunk) => chunk.subarray())))
    expect(text === '' || text.startsWith('HTTP/1.1 400')).toBe(true)
    expect((await get(`/ipfs/${file.toString()}?format=raw`)).status).toBe(200)
  })
})

describe('a peer that asks and does not read', () => {
  it('holds few places: the next one is refused with 429', async () => {
    const streams: Stream[] = []
    for (let n = 0; n < 6; n++) {
      const stream = await (await connection()).newStream(HTTP_PROTOCOL)
      stream.pause()
      stream.send(new TextEncoder().encode(`GET /ipfs/${file.toString()}?format=car HTTP/1.1\r\n\r\n`))
      streams.push(stream)
    }
    const refused = await (await connection()).newStream(HTTP_PROTOCOL)
    const { status } = await httpGet(refused, `/ipfs/${file.toString()}?format=car`, '')
    expect(status).toBe(429)
    for (const stream of streams) stream.abort(new Error('done'))
  })

  it('keeps no place from a peer that has none, however many it comes as', async () => {
    const path = `/ipfs/${file.toString()}?format=car`
    const source = createBlockSource({ networked: blocks, local: blocks })
    const gateway = createGateway(source)
    let remotePeer = client.peerId
    let asked = 0
    const ended: Promise<void>[] = []
    answer = (stream) => {
      ended.push(gateway.serve(stream, { remotePeer }))
      asked++
    }
    const streams: Stream[] = []
    for (let n = 0; n < LIMITS.maxAnswers; n++) {
      if (n % LIMITS.maxAnswersPerPeer === 0) remotePeer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
      const stream = await (await connection()).newStream(HTTP_PROTOCOL)
      stream.pause()
      stream.send(new TextEncoder().encode(`GET ${path} HTTP/1.1\r\n\r\n`))
      streams.push(stream)
      while (asked <= n) await new Promise((resolve) => setImmediate(resolve))
    }
    remotePeer = client.peerId
    expect((await get(path)).status).toBe(200)
    await Promise.race(ended.slice(0, LIMITS.maxAnswers))
    for (const stream of streams) stream.abort(new Error('done'))
    answer = undefined
  })
})

describe('a CAR from a peer', () => {
  const respond =
    (parts: (Uint8Array | string)[], { close = true } = {}) =>
    (stream: Stream): void => {
      stream.send(new TextEncoder().encode('HTTP/1.1 200 OK\r\ncontent-type: application/vnd.ipld.car\r\n\r\n'))
      for (const part of parts) stream.send(typeof part === 'string' ? new TextEncoder().encode(part) : part)
      if (close) void stream.close()
    }
  const foreign = new TextEncoder().encode('not asked for')

  it.each<[string, () => Promise<Uint8Array[]>, string]>([
    ['is no CAR', async () => [new TextEncoder().encode('<html>')], 'ERR_INVALID_CAR'],
    [
      'holds a foreign block',
      async () => {
        const { cid } = await addContent(foreign, {
          blocks,
          signal: new AbortController().signal,
          onProgress: () => undefined,
        })
        return [encodeHeader([file]), encodeSectionHead(cid, foreign.byteLength), foreign]
      },
      'ERR_INVALID_CAR',
    ],
    [
      'lies about a block',
      async () => [encodeHeader([file]), encodeSectionHead(file, foreign.byteLength), foreign],
      'ERR_BLOCK_HASH_MISMATCH',
    ],
    [
      'holds a block of over 2 MiB',
      async () => [encodeHeader([file]), encodeSectionHead(file, 3 * MiB), new Uint8Array(100)],
      'ERR_BLOCK_TOO_LARGE',
    ],
  ])('that %s is refused and stores nothing', async (_what, make, code) => {
    const parts = await make()
    answer = respond(parts)
    const to = await createBlockstore(createMemoryBlockTable())
    const before = await openStreams()
    await expect(fetchInto(to, file)).rejects.toMatchObject({ code })
    expect(to.stat().blocks).toBe(0)
    answer = undefined
    // The peer was cut off: nothing of it is left open.
    expect(await openStreams()).toBeLessThanOrEqual(before)
  })

  it('is read in chunked encoding, however it is cut', async () => {
    answer = (stream) => {
      stream.send(new TextEncoder().encode('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhel'))
      stream.send(new TextEncoder().encode('lo\r'))
      stream.send(new TextEncoder().encode('\n1\r\n!\r\n0\r\n\r\n'))
      void stream.close()
    }
    expect(new TextDecoder().decode((await get('/ipfs/x')).body)).toBe('hello!')
    answer = (stream) => {
      stream.send(new TextEncoder().encode('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhel'))
      void stream.close()
    }
    await expect(get('/ipfs/x')).rejects.toMatchObject({ code: 'ERR_PROTOCOL' })
    answer = undefined
  })

  it('stops when the caller cancels', async () => {
    answer = respond([encodeHeader([file])], { close: false })
    const abort = new AbortController()
    const fetching = fetchInto(await createBlockstore(createMemoryBlockTable()), file, undefined, abort.signal)
    setTimeout(() => abort.abort(), 50)
    await expect(fetching).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    answer = undefined
  })
})
