import * as dagPb from '@ipld/dag-pb'
import type { Libp2p } from '@libp2p/interface'
import { importer } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FetchSource } from '../../../src/contract/node-api.ts'
import { HTTP_PROTOCOL } from '../../../src/core/gateway/http-head.ts'
import { createGateway } from '../../../src/core/gateway/http-server.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { openLine } from '../../../bench/lib/tcp-proxy.ts'
import { createHost, createStore, fetchInto, type Store } from '../../support/node/fetching.ts'
import { startGateway, type Behave } from '../../support/node/gateway.ts'
import { randomBytes } from '../../support/node/node.ts'

const MiB = 1024 * 1024
let from: Store
let client: Libp2p & AsyncDisposable

beforeAll(async () => {
  from = await createStore()
  client = await createHost()
})
afterAll(async () => client.stop())

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const bytesOf = (sources: Map<string, FetchSource>, id: string): number => sources.get(id)?.bytes ?? 0

describe('a file from several sources', () => {
  it('comes from a peer and two gateways at once', async () => {
    const root = await from.add(randomBytes(20 * MiB))
    // After its first answer each waits until all three have brought something, however busy this machine is.
    const all = Promise.withResolvers<void>()
    const turns = (): (() => Promise<void>) => {
      let first = true
      return async () => {
        if (!first) await all.promise
        first = false
      }
    }
    const waits = (): Behave => {
      const turn = turns()
      return async (_request, _response, next) => {
        await turn()
        await next()
      }
    }
    const turn = turns()
    await using peer = await createHost(from)
    const served = createGateway(from.source)
    await peer.unhandle(HTTP_PROTOCOL)
    await peer.handle(HTTP_PROTOCOL, (stream, connection) => void turn().then(() => served.serve(stream, connection)))
    await using one = await startGateway(from.source, waits())
    await using two = await startGateway(from.source, waits())
    const ids = [peer.peerId.toString(), one.url, two.url]
    const to = await createStore()
    const { progress, sources } = await fetchInto(root, {
      to,
      libp2p: client,
      from: [...peer.getMultiaddrs().map(String), one.url, two.url],
      onProgress: ({ sources: told = [] }) => {
        if (ids.every((id) => told.some((each) => each.id === id && each.bytes >= MiB))) all.resolve()
      },
    })
    await client.hangUp(peer.peerId)
    expect(progress.bytes).toBe((from.blocks.sizeOf(root) ?? 0) + 20 * MiB)
    expect(progress.bytes).toBe(progress.total)
    const shares = ids.map((id) => bytesOf(sources, id))
    for (const share of shares) expect(share).toBeGreaterThanOrEqual(MiB)
    expect(to.blocks.stat().blocks).toBe(21)
  })

  it('is finished by the others when one dies in the middle, and says of what', async () => {
    const root = await from.add(randomBytes(20 * MiB, 2))
    await using dying = await startGateway(from.source, async (request, response, next) => {
      const write = response.write.bind(response)
      response.write = ((chunk: Uint8Array, done: () => void) => {
        if (dying.sent <= 2 * MiB) return write(chunk, done)
        request.socket.destroy()
        done()
        return false
      }) as typeof response.write
      await next()
    })
    await using slow = await startGateway(from.source, async (_request, _response, next) => {
      await pause(150)
      await next()
    })
    const to = await createStore()
    const why = new Set<string | undefined>()
    const { sources } = await fetchInto(root, {
      to,
      libp2p: client,
      from: [dying.url, slow.url],
      onProgress: ({ sources: told = [] }) => why.add(told.find(({ id }) => id === dying.url)?.error?.code),
    })
    expect(to.blocks.stat().blocks).toBe(21)
    expect(why).toContain('ERR_NOT_FOUND')
    expect(bytesOf(sources, slow.url)).toBeGreaterThan(8 * MiB)
  })

  it('is not held up by one that is slow: the idle one brings what it still owes', async () => {
    const root = await from.add(randomBytes(16 * MiB, 3))
    let written = 0
    await using slow = await startGateway(from.source, async (_request, response, next) => {
      const write = response.write.bind(response)
      // About 100 KiB/s: what it is asked for first would take 40 s.
      response.write = ((chunk: Uint8Array, done: () => void) => {
        const step = (at: number): void => {
          if (at >= chunk.byteLength || response.destroyed) return done()
          write(chunk.subarray(at, at + 10_240))
          written += 10_240
          setTimeout(() => step(at + 10_240), 100)
        }
        step(0)
        return true
      }) as typeof response.write
      await next()
    })
    await using fast = await startGateway(from.source)
    const to = await createStore()
    await fetchInto(root, { to, libp2p: client, from: [slow.url, fast.url] })
    // By its clock, which a busy machine slows down as well: 6 s.
    expect(written).toBeLessThan(60 * 10_240)
    expect(to.blocks.stat().blocks).toBe(17)
  })

  it('adds up the lines of two slow ones', async () => {
    const root = await from.add(randomBytes(12 * MiB, 11))
    await using one = await startGateway(from.source)
    await using two = await startGateway(from.source)
    const lines = await Promise.all(
      [one, two].map(({ url }) => openLine(Number(new URL(url).port), { bytesPerSecond: 4 * MiB })),
    )
    const to = await createStore()
    const urls = lines.map(({ port }) => `http://127.0.0.1:${port}`)
    await fetchInto(root, { to, libp2p: client, from: urls })
    for (const line of lines) line.close()
    expect(to.blocks.stat().blocks).toBe(13)
    // By bytes, which a busy machine does not change: one of them alone would have taken one and a half times as long.
    expect(Math.max(one.sent, two.sent)).toBeLessThan(8 * MiB)
    expect(one.sent + two.sent).toBeLessThan(15 * MiB)
  })

  it('says how much it will be before more than the root is here', async () => {
    const root = await from.add(randomBytes(6 * MiB, 6))
    const told = Promise.withResolvers<void>()
    await using gateway = await startGateway(from.source, async (_request, response, next) => {
      const write = response.write.bind(response)
      response.write = ((chunk: Uint8Array, done: () => void) => {
        if (chunk.byteLength < MiB) return write(chunk, done)
        void told.promise.then(() => write(chunk, done))
        return true
      }) as typeof response.write
      await next()
    })
    const to = await createStore()
    let bytesThen: number | undefined
    await fetchInto(root, {
      to,
      libp2p: client,
      from: [gateway.url],
      onProgress({ bytes, total }) {
        if (total === undefined) return
        bytesThen ??= bytes
        told.resolve()
      },
    })
    expect(bytesThen).toBe(from.blocks.sizeOf(root))
  })

  it('asks for nothing that is there, inside of a window too', async () => {
    const root = await from.add(randomBytes(16 * MiB, 4))
    await using gateway = await startGateway(from.source)
    const to = await createStore()
    await fetchInto(root, { to, libp2p: client, from: [gateway.url] })
    const { Links } = dagPb.decode(await to.source.getLocal(root))
    for (const at of [3, 4, 12]) await to.blocks.delete(Links[at]!.Hash)
    gateway.asked.length = 0
    gateway.sent = 0
    await fetchInto(root, { to, libp2p: client, from: [gateway.url] })
    expect(gateway.asked.map((target) => new URL(target, 'http://x').searchParams.get('entity-bytes'))).toEqual([
      `${3 * MiB}:${5 * MiB - 1}`,
      `${12 * MiB}:${13 * MiB - 1}`,
    ])
    expect(gateway.sent).toBeLessThan(3 * MiB + 8 * 1024)
  })

  it('is asked for once, however much its nodes weigh beside its leaves', async () => {
    const chunker = fixedSize({ chunkSize: 1024 })
    const content = randomBytes(3 * MiB, 12)
    const [file] = await Array.fromAsync(
      importer([{ content }], from.blocks, {
        profile: 'unixfs-v1-2025',
        chunker,
        wrapWithDirectory: false,
      }),
    )
    await using gateway = await startGateway(from.source)
    const to = await createStore()
    await fetchInto(file!.cid, { to, libp2p: client, from: [gateway.url] })
    expect(gateway.asked.map((target) => new URL(target, 'http://x').searchParams.get('entity-bytes'))).toEqual([
      `0:${4 * MiB - 1}`,
    ])
  })

  it('is helped by a peer that connects in the middle', async () => {
    const root = await from.add(randomBytes(16 * MiB, 5))
    await using peer = await createHost(from)
    const helped = Promise.withResolvers<void>()
    let dialling: Promise<unknown> | undefined
    let first = true
    await using gateway = await startGateway(from.source, async (_request, _response, next) => {
      if (!first) await helped.promise
      first = false
      await next()
    })
    const to = await createStore()
    const id = peer.peerId.toString()
    const { sources } = await fetchInto(root, {
      to,
      libp2p: client,
      from: [gateway.url],
      onProgress: ({ bytes, sources: told = [] }) => {
        if (bytes > 0) dialling ??= client.dial(peer.getMultiaddrs())
        if (told.some((each) => each.id === id && each.bytes > 0)) helped.resolve()
      },
    })
    await dialling
    await client.hangUp(peer.peerId)
    expect(bytesOf(sources, id)).toBeGreaterThan(0)
    expect(to.blocks.stat().blocks).toBe(17)
  })
})

describe('a folder', () => {
  const entries = Array.from({ length: 1100 }, (_, n) => ({
    path: `many/${n}.bin`,
    content: randomBytes(10_000, n + 10),
  }))

  it('of many small files comes from a peer in a few requests', async () => {
    const root = await from.add([...entries, { path: 'many/large', content: randomBytes(20 * MiB, 7) }])
    await using peer = await createHost(from)
    const to = await createStore()
    await fetchInto(root, {
      to,
      libp2p: client,
      from: peer.getMultiaddrs().map(String),
    })
    await client.hangUp(peer.peerId)
    expect(to.blocks.stat()).toMatchObject({ blocks: 1100 + 1 + 21 })
  })

  it('comes from a gateway that knows nothing of several files at once', async () => {
    const root = await from.add(entries.slice(0, 150))
    await using gateway = await startGateway(from.source)
    const to = await createStore()
    await fetchInto(root, { to, libp2p: client, from: [gateway.url] })
    expect(to.blocks.stat().blocks).toBe(151)
  })
})

it('tells all that has come when the rest keeps it waiting', async () => {
  // The last leaf is asked for by itself: 4 MiB are what comes with the root.
  const content = randomBytes(5 * MiB, 9)
  const root = await from.add(content)
  const last = dagPb.decode(await from.source.getLocal(root)).Links.at(-1)?.Hash
  await using gateway = await startGateway({
    getLocal: (cid) => (last?.equals(cid) === true ? new Promise(() => undefined) : from.source.getLocal(cid)),
  })
  const abort = new AbortController()
  const fetching = fetchInto(root, {
    to: await createStore(),
    libp2p: client,
    from: [gateway.url],
    signal: AbortSignal.any([abort.signal, AbortSignal.timeout(LIMITS.stallTimeoutMs - 1000)]),
    onProgress: ({ bytes }) => bytes >= 4 * MiB && abort.abort('all but the last'),
  })
  await expect(fetching).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  expect(abort.signal.aborted).toBe(true)
})

it('stops at once when it is cancelled, and writes nothing any more', async () => {
  const root = await from.add(randomBytes(24 * MiB, 8))
  await using gateway = await startGateway(from.source)
  const to = await createStore()
  const abort = new AbortController()
  const fetching = fetchInto(root, {
    to,
    libp2p: client,
    from: [gateway.url],
    signal: abort.signal,
    onProgress: ({ bytes }) => bytes > 0 && abort.abort(),
  })
  await expect(fetching).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  const { blocks } = to.blocks.stat()
  await to.blocks.flush()
  expect(to.blocks.stat().blocks).toBe(blocks)
  expect(blocks).toBeLessThan(24)
})
