import { describe, expect, it } from 'vitest'
import type { AddEntry, AddSource, Transfer } from '../../../src/contract/node-api.ts'
import { dayOf } from '../../../src/core/connectivity/meter.ts'
import { createMemoryStateTable } from '../../../src/core/storage/index.ts'
import { randomBytes, readAll, startNode, untilStatus } from '../../support/node/node.ts'
import { startRelay } from '../../support/node/relay.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
/** `toEqual` takes seconds for megabytes. */
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => Array.fromAsync(items)

describe('a node alone', () => {
  it('adds a file with the CID of IPIP-499 and reads it back, in parts too', async () => {
    await using node = await startNode()
    // `ipfs add --cid-version=1 --raw-leaves --chunker=size-1048576`: Kubo's suite compares many more.
    const small = await node.add(text('hello world'))
    expect(small).toEqual({ cid: 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e', size: 11, files: 1 })
    const bytes = randomBytes(20 * 1024 * 1024 + 1)
    const { cid } = await node.add(new File([bytes], 'big.bin'))
    expect(same(await readAll(node.cat(cid)), bytes)).toBe(true)
    const part = await readAll(node.cat(cid, { offset: 9_000_000, length: 3_000_000 }))
    expect(same(part, bytes.subarray(9_000_000, 12_000_000))).toBe(true)
    expect(await readAll(node.cat(cid, { offset: bytes.length + 5 }))).toHaveLength(0)
    expect(await node.stat(cid)).toMatchObject({ size: bytes.length, type: 'file', local: { complete: true } })
    expect((await collect(node.pin.ls())).map((pin) => pin.name)).toContain('big.bin')
  })

  it('tells nothing to a watcher that has stopped', async () => {
    await using node = await startNode()
    const told: string[] = []
    const watch = node.watch(({ type }) => told.push(type))
    watch.stop()
    const before = [...told]
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).toEqual(before)
  })

  it('gives what is here while the network does not come up, and lets dials wait', async () => {
    await using first = await startNode()
    const { cid } = await first.add(text('here'))
    const { state, blocks } = first.ports
    await first.stop()
    const gate = Promise.withResolvers<void>()
    // libp2p reads the addresses that it knew when it starts; nothing else does.
    const late = new Proxy(state, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key)
        if (typeof value !== 'function') return value
        return async (...args: unknown[]): Promise<unknown> => {
          if (JSON.stringify(args[0]).includes('/peers')) await gate.promise
          return value.apply(target, args) as unknown
        }
      },
    })
    await using node = await startNode({ ports: { state: late, blocks } })
    expect((await node.status()).state).toBe('starting')
    expect(new TextDecoder().decode(await readAll(node.cat(cid)))).toBe('here')
    expect((await node.stat(cid)).local.complete).toBe(true)
    expect((await node.add(text('new'))).size).toBe(3)
    let dialled = false
    const dial = node.dial('/ip4/127.0.0.1/tcp/9/ws').catch(() => (dialled = true))
    expect((await node.status()).state).toBe('starting')
    expect(dialled).toBe(false)
    gate.resolve()
    await untilStatus(node, (status) => status.state === 'running')
    await dial
    expect(dialled).toBe(true)
  })

  it('watches nothing any more when it could not be opened', async () => {
    const watching = new Set<unknown>()
    const watch = (listener: unknown): (() => void) => {
      watching.add(listener)
      return () => void watching.delete(listener)
    }
    const state = createMemoryStateTable()
    await state.set('identity', new Uint8Array([1, 2, 3]))
    const ports = { state, network: { online: () => true, watch } }
    await expect(startNode({ ports })).rejects.toThrow()
    expect(watching.size).toBe(0)
  })

  it('says at once why it fetches and dials no more', async () => {
    await using node = await startNode()
    const addr = '/ip4/127.0.0.1/tcp/9/ws'
    await untilStatus(node, (status) => status.state === 'running')
    const fetching = node.pin.add('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
    const refused = expect(fetching).rejects.toMatchObject({ code: 'ERR_OFFLINE', detail: { chosen: true } })
    await node.profile.set('offline')
    await refused
    await expect(node.dial(addr)).rejects.toMatchObject({ code: 'ERR_OFFLINE', detail: { chosen: true } })
    const { state } = node.ports
    await state.set('data:days', [[dayOf(Date.now()), { unknown: { in: 10, out: 0 } }]])
    await using capped = await startNode({ ports: { state } })
    await capped.profile.set('auto')
    await capped.data.setCaps({ month: 10 })
    await expect(capped.dial(addr)).rejects.toMatchObject({ code: 'ERR_DATA_CAP', detail: { period: 'month' } })
  })

  it('adds a stream of odd chunks like the file of the same bytes', async () => {
    await using node = await startNode()
    const bytes = randomBytes(3 * 1024 * 1024 + 17)
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 77_777) controller.enqueue(bytes.slice(at, at + 77_777))
        controller.close()
      },
    })
    const progress: number[] = []
    const streamed = await node.add(stream, { name: 's', onProgress: ({ bytes: done }) => progress.push(done) })
    expect(streamed.cid).toBe((await node.add(bytes)).cid)
    expect(progress.at(-1)).toBe(bytes.length)
  })

  it('keeps the tree of a folder and lists it', async () => {
    await using node = await startNode()
    const entries: AddEntry[] = [
      { path: 'trip/a.txt', content: text('a') },
      { path: 'trip/sub/b.txt', content: text('bb') },
      { path: 'trip/empty', content: new Uint8Array() },
    ]
    const { cid, size, files } = await node.add(entries)
    expect({ size, files }).toEqual({ size: 3, files: 3 })
    const list = await collect(node.ls(cid))
    expect(list.map(({ name, type, size }) => ({ name, type, size: type === 'file' ? size : 0 }))).toEqual([
      { name: 'a.txt', type: 'file', size: 1 },
      { name: 'empty', type: 'file', size: 0 },
      { name: 'sub', type: 'directory', size: 0 },
    ])
    expect(new TextDecoder().decode(await readAll(node.cat(`${cid}/sub/b.txt`)))).toBe('bb')
    expect((await collect(node.pin.ls()))[0]).toMatchObject({ name: 'trip', type: 'directory' })
    await expect(readAll(node.cat(`${cid}/nope`))).rejects.toMatchObject({ code: 'ERR_PATH_NOT_FOUND' })
    await expect(readAll(node.cat(cid))).rejects.toMatchObject({ code: 'ERR_NOT_A_FILE' })
    await expect(collect(node.ls(`${cid}/a.txt`))).rejects.toMatchObject({ code: 'ERR_NOT_A_DIRECTORY' })
  })

  it('takes a folder of 10,000 entries', async () => {
    await using node = await startNode()
    const entries = Array.from({ length: 10_000 }, (_, n) => ({ path: `many/${n}.txt`, content: text(String(n)) }))
    const { cid, files } = await node.add(entries)
    expect(files).toBe(10_000)
    expect(await collect(node.ls(cid))).toHaveLength(10_000)
    expect(new TextDecoder().decode(await readAll(node.cat(`${cid}/7777.txt`)))).toBe('7777')
  })

  it.each<[string, AddSource, string]>([
    ['..', [{ path: 'a/../../b', content: text('x') }], 'ERR_INVALID_NAME'],
    ['NUL', [{ path: 'a\0b', content: text('x') }], 'ERR_INVALID_NAME'],
    ['an absolute path', [{ path: '/etc/passwd', content: text('x') }], 'ERR_INVALID_NAME'],
    ['a name of 300 bytes', [{ path: 'x'.repeat(300), content: text('x') }], 'ERR_INVALID_NAME'],
    [
      'a file that is a folder too',
      [
        { path: 'a', content: text('x') },
        { path: 'a/b', content: text('x') },
      ],
      'ERR_INVALID_NAME',
    ],
    ['nothing', [], 'ERR_INVALID_ARGUMENT'],
  ])('refuses %s and stores nothing', async (_what, source, code) => {
    await using node = await startNode()
    await expect(node.add(source)).rejects.toMatchObject({ code })
    expect((await node.status()).storage.blocks).toBe(0)
    expect(await collect(node.pin.ls())).toEqual([])
  })

  it('reports a source that fails in the middle, and nothing as stored', async () => {
    await using node = await startNode()
    let pulls = 0
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (pulls++ > 2) controller.error(new DOMException('gone', 'NotReadableError'))
        else controller.enqueue(randomBytes(2_000_000, pulls))
      },
    })
    const seen: Transfer[] = []
    node.transfers.watch((transfer) => seen.push(transfer))
    await expect(node.add(stream)).rejects.toMatchObject({ code: 'ERR_SOURCE_UNREADABLE' })
    expect(await collect(node.pin.ls())).toEqual([])
    expect(seen.at(-1)).toMatchObject({ kind: 'import', state: 'failed', error: { code: 'ERR_SOURCE_UNREADABLE' } })
    expect(await node.transfers.list()).toEqual([])
    expect((await node.add(text('still fine'))).size).toBe(10)
  })

  it('stops an add that is cancelled', async () => {
    await using node = await startNode()
    const abort = new AbortController()
    const adding = node.add(new Blob([randomBytes(30_000_000)]), {
      signal: abort.signal,
      onProgress: ({ bytes }) => bytes > 5_000_000 && abort.abort(),
    })
    await expect(adding).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(await collect(node.pin.ls())).toEqual([])
  })

  it('frees what only a removed pin needed', async () => {
    await using node = await startNode()
    const shared = randomBytes(1024 * 1024, 3)
    const one = await node.add(new Blob([shared, randomBytes(1024 * 1024, 4)]))
    const two = await node.add(new Blob([shared, randomBytes(1024 * 1024, 5)]))
    await node.pin.rm(one.cid)
    expect((await readAll(node.cat(two.cid))).length).toBe(two.size)
    // Two leaves and a root of the one that is kept.
    expect((await node.status()).storage.blocks).toBe(3)
    await expect(node.pin.rm(one.cid)).rejects.toMatchObject({ code: 'ERR_PATH_NOT_FOUND' })
  })

  it('frees nothing that an add under way has found in the store', async () => {
    await using node = await startNode()
    const shared = randomBytes(1024 * 1024, 3)
    const one = await node.add(new Blob([shared, randomBytes(1024 * 1024, 4)]))
    const half = Promise.withResolvers<void>()
    const stream = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(shared.slice())
        await half.promise
        controller.enqueue(randomBytes(1024 * 1024, 5))
        controller.close()
      },
    })
    const adding = node.add(stream)
    await node.pin.rm(one.cid)
    half.resolve()
    const two = await adding
    expect((await readAll(node.cat(two.cid))).length).toBe(2 * 1024 * 1024)
  })

  it.each([
    ['id that is none', (node) => node.stat('hello'), 'ERR_INVALID_CID'],
    [
      'unknown codec',
      (node) => node.stat('bafyreigaknpexyvxt76zgkitavbwx6ejgfheup5oybpm77f3pxzrvwpfdi'),
      'ERR_UNSUPPORTED_CODEC',
    ],
    ['malformed multiaddr', (node) => node.dial('/ip4/999.1.1.1/tcp/1'), 'ERR_INVALID_MULTIADDR'],
    ['peer id that is none', (node) => node.dial('12D3KooWnope'), 'ERR_INVALID_PEER_ID'],
    ['address nobody answers', (node) => node.dial('/ip4/127.0.0.1/tcp/9/ws'), 'ERR_DIAL_FAILED'],
    [
      'WebRTC without WebRTC',
      (node) => node.dial('/webrtc/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'),
      'ERR_NO_WEBRTC',
    ],
    ['foreign link', (node) => node.open('https://example.com/'), 'ERR_INVALID_LINK'],
    [
      'range that is none',
      async (node) => readAll(node.cat('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e', { offset: -1 })),
      'ERR_INVALID_ARGUMENT',
    ],
    ['relay that is no address', (node) => node.setRelays(['nope']), 'ERR_INVALID_MULTIADDR'],
  ] as [string, (node: Awaited<ReturnType<typeof startNode>>) => Promise<unknown>, string][])(
    'answers an %s with a code and lives on',
    async (_what, call, code) => {
      await using node = await startNode()
      await expect(call(node)).rejects.toMatchObject({ code })
      expect((await node.add(text('fine'))).size).toBe(4)
    },
  )

  it('keeps its identity and relays', async () => {
    const first = await startNode()
    await first.setRelays(['/ip4/127.0.0.1/tcp/9/ws'])
    const { state } = first.ports
    await using second = await startNode({ ports: { state } })
    expect((await second.id()).peerId).toBe((await first.id()).peerId)
    expect((await second.status()).relays[0]?.addr).toBe('/ip4/127.0.0.1/tcp/9/ws')
  })
})

describe('two nodes and a relay', () => {
  it('send a file by a link, through the relay where nothing better is', async () => {
    await using relay = await startRelay()
    await using alice = await startNode({ relays: [relay.addr] })
    await using bob = await startNode()
    const bytes = randomBytes(5_000_000)
    const { cid } = await alice.add(new File([bytes], 'Foto.jpg'))
    await untilStatus(alice, (status) => status.reachable)
    const { url, reachable, qr } = await alice.share(cid, { appUrl: 'http://localhost:8080' })
    expect(reachable).toBe(true)
    expect(qr).toMatch(/^<svg/)
    const link = await bob.open(url)
    expect(link).toMatchObject({ cid, name: 'Foto.jpg', size: 5_000_000 })
    const seen: number[] = []
    const pin = await bob.pin.add(cid, { name: 'Foto.jpg', onProgress: ({ bytes: done }) => seen.push(done) })
    expect(pin).toMatchObject({ name: 'Foto.jpg', size: 5_000_000, origin: 'received' })
    expect(seen.at(-1)).toBeGreaterThan(5_000_000)
    expect(same(await readAll(bob.cat(cid)), bytes)).toBe(true)
    const peer = (await bob.peers()).find(({ transport }) => transport === 'circuit-relay')
    expect(peer).toMatchObject({ direct: false, limited: true })
  })

  it('finds its relay again when that was away', async () => {
    const relay = await startRelay()
    await using node = await startNode({ relays: [relay.addr] })
    await untilStatus(node, (status) => status.reachable)
    await relay.stop()
    await untilStatus(node, (status) => !status.reachable && status.relays[0]?.state === 'failed')
    expect((await node.status()).relays[0]?.error?.code).toBe('ERR_RELAY_UNREACHABLE')
  })

  it('says when nobody has it', async () => {
    await using node = await startNode()
    const abort = AbortSignal.timeout(500)
    await expect(
      node.stat('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy', { signal: abort }),
    ).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  })
})
