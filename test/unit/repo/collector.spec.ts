import { CID } from 'multiformats/cid'
import * as identity from 'multiformats/hashes/identity'
import * as dagPb from '@ipld/dag-pb'
import { describe, expect, it } from 'vitest'
import { createBlockSource } from '../../../src/core/content/block-source.ts'
import { createCollector, type Collector } from '../../../src/core/repo/collector.ts'
import { createHeldRoots, type HeldRoots } from '../../../src/core/repo/held-roots.ts'
import {
  createBlockstore,
  createMemoryBlockTable,
  type BlockstoreInit,
  type PocketBlockstore,
} from '../../../src/core/storage/index.ts'
import type { BlockTable } from '../../../src/core/ports.ts'
import { randomBlock, randomBlocks, readAll } from '../../support/storage/blocks.ts'
import { held, makeDag, nodeOf, putAll } from '../../support/storage/dags.ts'

interface Kit {
  table: BlockTable
  store: PocketBlockstore
  collector: Collector
  roots: HeldRoots
  pins: CID[]
}

async function kit(table = createMemoryBlockTable(), init?: BlockstoreInit): Promise<Kit> {
  const store = await createBlockstore(table, init)
  const roots = createHeldRoots()
  const pins: CID[] = []
  const source = createBlockSource({ networked: store, local: store })
  const collector = createCollector({ uses: store.uses, source, pins: () => pins.map(String), roots })
  return { table, store, collector, roots, pins }
}

describe('garbage collection', () => {
  it('frees what no pin needs, and nothing else', async () => {
    const { store, collector, pins } = await kit()
    const kept = await makeDag()
    const garbage = await makeDag()
    await putAll(store, [...kept.blocks, ...garbage.blocks])
    pins.push(kept.root)
    const { bytes } = store.stat()
    const told: number[] = []
    const freed = await collector.gc({ onProgress: ({ blocks }) => told.push(blocks) })
    expect(freed).toEqual({ blocks: garbage.blocks.length, bytes: bytes - store.stat().bytes })
    expect(told).toEqual([garbage.blocks.length])
    expect(held(store, kept.blocks)).toBe(kept.blocks.length)
    for (const { cid, bytes } of kept.blocks) expect(await readAll(store.get(cid))).toEqual(bytes)
    expect(await collector.gc()).toEqual({ blocks: 0, bytes: 0 })
  })

  it('keeps what two pins share until both are gone', async () => {
    const { store, collector, pins } = await kit()
    const shared = await randomBlocks(3)
    const [one, two] = [
      await makeDag([...shared, await randomBlock()]),
      await makeDag([...shared, await randomBlock()]),
    ]
    await putAll(store, [...one.blocks, ...two.blocks])
    pins.push(two.root)
    await collector.release(one.root)
    expect(held(store, two.blocks)).toBe(two.blocks.length)
    // Three leaves, and the node over the first two.
    expect(held(store, one.blocks)).toBe(4)
    pins.pop()
    await collector.release(two.root)
    expect(store.stat()).toMatchObject({ blocks: 0, bytes: 0 })
  })

  it('leaves what is not wanted but not released either to a gc', async () => {
    const { store, collector } = await kit()
    const [viewed, removed] = [await makeDag(), await makeDag()]
    await putAll(store, [...viewed.blocks, ...removed.blocks])
    await collector.release(removed.root)
    expect(held(store, viewed.blocks)).toBe(viewed.blocks.length)
    expect(held(store, removed.blocks)).toBe(0)
  })

  it('keeps what is held below a root that is being fetched, though parts of it are missing', async () => {
    const { store, collector, roots } = await kit()
    const partly = await makeDag(8)
    await putAll(store, partly.blocks.filter((_, at) => at !== 2 && at !== 4)) // prettier-ignore
    const letGo = roots.hold(partly.root)
    await collector.gc()
    // Root, left, and the leaves of left but one: what is below a missing node nobody knows.
    expect(held(store, partly.blocks)).toBe(5)
    letGo()
    await collector.gc()
    expect(held(store, partly.blocks)).toBe(0)
  })

  it('frees nothing that an add has written or found, and frees it when that is discarded', async () => {
    const { store, collector, pins } = await kit()
    const [found, older] = await randomBlocks(2)
    await putAll(store, [found!, older!])
    const arrival = collector.arrive()
    expect(store.has(found!.cid)).toBe(true)
    const dag = await makeDag(3)
    await putAll(store, dag.blocks)
    for (const { cid } of dag.blocks) arrival.wrote(cid)
    await collector.gc()
    expect(held(store, [found!, ...dag.blocks])).toBe(1 + dag.blocks.length)
    expect(held(store, [older!])).toBe(0)
    await arrival.discard()
    expect(held(store, dag.blocks)).toBe(0)
    // It was there before: not this add's to free.
    expect(held(store, [found!])).toBe(1)
    expect(pins).toEqual([])
  })

  it('goes by the arrivals that were there when it began, though they end with a pin on its way', async () => {
    const { store, collector, pins } = await kit()
    const old = await makeDag()
    const added = await makeDag()
    await putAll(store, old.blocks)
    pins.push(old.root)
    const arrival = collector.arrive()
    await putAll(store, added.blocks)
    const collecting = collector.gc()
    // The walk has begun and does not know the pin that comes now.
    await Promise.resolve()
    pins.push(added.root)
    await arrival.keep()
    await collecting
    expect(held(store, [...old.blocks, ...added.blocks])).toBe(old.blocks.length + added.blocks.length)
  })

  it('spares what is found, read or put again after it began', async () => {
    const table = createMemoryBlockTable()
    const { store, collector, pins } = await kit(table)
    const kept = await makeDag()
    const [found, read, again, garbage] = await randomBlocks(4)
    await putAll(store, [...kept.blocks, found!, read!, again!, garbage!])
    pins.push(kept.root)
    // The walk of the pin waits for this read: it has begun and not come to its end.
    const reading = Promise.withResolvers<void>()
    const getMany = table.getMany.bind(table)
    table.getMany = async (keys) => {
      await reading.promise
      return getMany(keys)
    }
    const collecting = collector.gc()
    await Promise.resolve()
    expect(store.has(found!.cid)).toBe(true)
    const bytes = readAll(store.get(read!.cid))
    await store.put(again!.cid, again!.bytes)
    reading.resolve()
    expect(await collecting).toMatchObject({ blocks: 1 })
    expect(await bytes).toEqual(read!.bytes)
    expect(held(store, [found!, read!, again!])).toBe(3)
    expect(held(store, [garbage!])).toBe(0)
  })

  it('frees a removed pin after the add that held it back has ended', async () => {
    const { store, collector } = await kit()
    const dag = await makeDag()
    await putAll(store, dag.blocks)
    const arrival = collector.arrive()
    for (const { cid } of dag.blocks) void store.has(cid)
    await collector.release(dag.root)
    expect(held(store, dag.blocks)).toBe(dag.blocks.length)
    await arrival.keep()
    expect(held(store, dag.blocks)).toBe(0)
  })

  it('frees nothing while it does not know what a pin needs', async () => {
    const { store, collector, pins } = await kit()
    const dag = await makeDag()
    const [, left] = dag.blocks
    await putAll(store, dag.blocks.filter((block) => block !== left)) // prettier-ignore
    pins.push(dag.root)
    await expect(collector.gc()).rejects.toMatchObject({ code: 'ERR_PIN_DAMAGED', detail: { cid: String(left!.cid) } })
    expect(held(store, dag.blocks)).toBe(dag.blocks.length - 1)
    await store.put(left!.cid, left!.bytes)
    expect(await collector.gc()).toEqual({ blocks: 0, bytes: 0 })
  })

  it('stops when it is cancelled', async () => {
    const { store, collector } = await kit()
    await putAll(store, await randomBlocks(2000, 10))
    const abort = new AbortController()
    const collecting = collector.gc({ signal: abort.signal, onProgress: () => abort.abort() })
    await expect(collecting).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    const { blocks } = store.stat()
    expect(blocks).toBeGreaterThan(0)
    expect(blocks).toBeLessThan(2000)
    expect((await collector.gc()).blocks).toBe(blocks)
  })

  it('follows links through nodes in CIDs, and reads a node once that is linked a thousand times', async () => {
    const { store, collector, pins, table } = await kit()
    const leaf = await randomBlock()
    const node = await nodeOf([leaf.cid])
    const inlined = dagPb.encode({ Links: [{ Hash: node.cid, Tsize: 1 }] })
    const within = CID.createV1(dagPb.code, identity.identity.digest(inlined))
    const root = await nodeOf([...Array<CID>(1000).fill(node.cid), within])
    await putAll(store, [leaf, node, root])
    pins.push(root.cid)
    let reads = 0
    const getMany = table.getMany.bind(table)
    table.getMany = (keys) => {
      reads += keys.length
      return getMany(keys)
    }
    expect(await collector.gc()).toEqual({ blocks: 0, bytes: 0 })
    expect(reads).toBe(2)
  })

  it('keeps what is below a node that was met as a leaf first', async () => {
    const { store, collector, pins } = await kit()
    const leaf = await randomBlock()
    const node = await nodeOf([leaf.cid])
    const root = await nodeOf([CID.createV1(0x55, node.cid.multihash), node.cid])
    await putAll(store, [leaf, node, root])
    pins.push(root.cid)
    await collector.gc()
    expect(held(store, [leaf, node, root])).toBe(3)
  })

  it('leaves the store right when the process ends between mark and commit', async () => {
    const { table, store, collector, pins } = await kit()
    const kept = await makeDag()
    await putAll(store, [...kept.blocks, ...(await randomBlocks(50))])
    pins.push(kept.root)
    const write = table.write.bind(table)
    table.write = () => new Promise(() => undefined)
    void collector.gc()
    await new Promise((resolve) => setTimeout(resolve, 20))
    table.write = write
    const next = await kit(table)
    next.pins.push(kept.root)
    expect(next.store.stat().blocks).toBe(kept.blocks.length + 50)
    expect((await next.collector.gc()).blocks).toBe(50)
    for (const { cid, bytes } of kept.blocks) expect(await readAll(next.store.get(cid))).toEqual(bytes)
  })
})

describe('eviction', () => {
  it('takes the least recently used first, never what is pinned, held or arriving', async () => {
    const { store, collector, pins, roots } = await kit()
    const [pinned, fetched] = [await makeDag(), await makeDag()]
    const blocks = await randomBlocks(6, 1000)
    for (const block of [...pinned.blocks, ...fetched.blocks, ...blocks]) await store.put(block.cid, block.bytes)
    pins.push(pinned.root)
    roots.hold(fetched.root)
    // The two oldest are used again.
    await readAll(store.get(blocks[0]!.cid))
    expect(store.has(blocks[1]!.cid)).toBe(true)
    const arrival = collector.arrive()
    const [arriving] = await randomBlocks(1, 1000)
    await store.put(arriving!.cid, arriving!.bytes)
    expect(await collector.evict(1500)).toBe(2000)
    expect(blocks.map((block) => held(store, [block]))).toEqual([1, 1, 0, 0, 1, 1])
    expect(await collector.evict(2500)).toBe(3000)
    expect(blocks.map((block) => held(store, [block]))).toEqual([0, 1, 0, 0, 0, 0])
    expect(await collector.evict(5000)).toBe(1000)
    expect(await collector.evict(1)).toBe(0)
    expect(held(store, [...pinned.blocks, ...fetched.blocks, arriving!])).toBe(store.stat().blocks)
    await arrival.keep()
    expect(await collector.evict(1)).toBe(1000)
  })

  it('knows the order after a restart, and after the log was merged', async () => {
    const table = createMemoryBlockTable()
    const { store } = await kit(table)
    const blocks = await randomBlocks(4, 1000)
    for (const { cid, bytes } of blocks) await store.put(cid, bytes)
    const next = await kit(table)
    expect(await next.collector.evict(1)).toBe(1000)
    expect(held(next.store, blocks.slice(0, 1))).toBe(0)
    // Merging writes the order of use down.
    await readAll(next.store.get(blocks[1]!.cid))
    for (const { cid, bytes } of await randomBlocks(300, 10)) await next.store.put(cid, bytes)
    const last = await kit(table)
    await last.collector.evict(1)
    expect(blocks.map((block) => held(last.store, [block]))).toEqual([0, 1, 0, 1])
  })

  it('counts a file as room when its last part goes', async () => {
    const { store, collector, table } = await kit()
    const blocks = await randomBlocks(3, 1000)
    const file = new File(blocks.map(({ bytes }) => new Uint8Array(bytes)), 'name') // prettier-ignore
    const stored = await store.putFile(file)
    await stored!.refer(blocks.map(({ cid }, at) => ({ cid, offset: at * 1000, length: 1000 })))
    await stored!.close()
    expect(store.stat()).toMatchObject({ files: 1 })
    expect(await collector.evict(1)).toBe(3000)
    expect(await table.fileIds()).toEqual([])
    expect(store.stat()).toMatchObject({ blocks: 0, files: 0 })
  })
})
