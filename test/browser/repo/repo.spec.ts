import { describe, expect, it, onTestFinished } from 'vitest'
import { createBlockSource } from '../../../src/core/content/block-source.ts'
import { createCollector, type Collector } from '../../../src/core/repo/collector.ts'
import { createHeldRoots } from '../../../src/core/repo/held-roots.ts'
import { createRoom } from '../../../src/core/repo/room.ts'
import { verifyRepo } from '../../../src/core/repo/verify.ts'
import { createBlockstore, type PocketBlockstore } from '../../../src/core/storage/index.ts'
import { keyOf } from '../../../src/core/storage/keys.ts'
import { openBlockTable } from '../../../src/platform/worker/indexeddb/index.ts'
import { storageEstimate } from '../../../src/platform/worker/storage-estimate.ts'
import { randomBlock, randomBlocks, readAll } from '../../support/storage/blocks.ts'
import { held, makeDag, nodeOf, putAll } from '../../support/storage/dags.ts'

/** What TypeScript 6 does not know yet: https://wicg.github.io/storage-buckets/ */
interface StorageBuckets {
  open(name: string, options: { quota: number }): Promise<{ indexedDB: IDBFactory }>
  delete(name: string): Promise<void>
}

interface Kit {
  store: PocketBlockstore
  collector: Collector
  pins: string[]
}

/** `toEqual` takes seconds for megabytes. */
const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at])

function freshName(): string {
  const name = crypto.randomUUID()
  onTestFinished(() => void indexedDB.deleteDatabase(name))
  return name
}

async function open(name: string): Promise<Kit> {
  const room = createRoom(storageEstimate)
  const store = await createBlockstore(await openBlockTable({ name }), room)
  onTestFinished(() => store.close())
  const pins: string[] = []
  const source = createBlockSource({ networked: store, local: store })
  const collector = createCollector({ uses: store.uses, source, pins: () => pins, roots: createHeldRoots() })
  room.by(collector)
  return { store, collector, pins }
}

/** What is in the database, as anybody else would read it. */
async function rawValues(name: string): Promise<Map<string, Uint8Array>> {
  const database = await done(indexedDB.open(name))
  const store = database.transaction('blocks').objectStore('blocks')
  const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())])
  database.close()
  return new Map(keys.map((key, at) => [key as string, values[at] as Uint8Array]))
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('failed'))
  })
}

describe('garbage in IndexedDB', () => {
  it('goes from the disk too, and the store of another host follows', async () => {
    const name = freshName()
    const [ours, theirs] = [await open(name), await open(name)]
    const kept = await makeDag(20)
    const garbage = await randomBlocks(1500, 50)
    await putAll(ours.store, [...kept.blocks, ...garbage])
    ours.pins.push(kept.root.toString())
    const arriving = await randomBlocks(100, 50)
    // The other host writes while this one collects.
    const [freed] = await Promise.all([ours.collector.gc(), putAll(theirs.store, arriving)])
    expect(freed.blocks).toBe(1500)
    await expect.poll(() => theirs.store.stat()).toEqual(ours.store.stat())
    expect(held(theirs.store, kept.blocks)).toBe(kept.blocks.length)
    expect(held(theirs.store, garbage)).toBe(0)
    expect(theirs.store.has(garbage[0]!.cid)).toBe(false)
    for (const { cid, bytes } of kept.blocks) expect(await readAll(theirs.store.get(cid))).toEqual(bytes)
    await expect
      .poll(async () => (await rawValues(name)).size, { timeout: 10_000 })
      .toBe(kept.blocks.length + arriving.length)
  })

  it('takes nothing else with it when the worker that frees it is killed', async () => {
    const name = freshName()
    const { store } = await open(name)
    const kept = await makeDag(50)
    await putAll(store, [...kept.blocks, ...(await randomBlocks(8000, 10))])
    const worker = new Worker(new URL('./collector.worker.ts', import.meta.url), { type: 'module' })
    await new Promise<void>((resolve, reject) => {
      worker.onerror = ({ message }) => reject(new Error(message))
      worker.onmessage = () => resolve()
      worker.postMessage({ name, pins: [kept.root.toString()] })
    })
    worker.terminate()
    const { store: next, collector, pins } = await open(name)
    pins.push(kept.root.toString())
    for (const { cid, bytes } of kept.blocks) expect(await readAll(next.get(cid))).toEqual(bytes)
    const left = next.stat().blocks - kept.blocks.length
    expect(left).toBeLessThan(8000)
    // What the index names is there; what it does not name goes.
    expect((await collector.gc()).blocks).toBe(left)
    await expect.poll(async () => (await rawValues(name)).size, { timeout: 10_000 }).toBe(kept.blocks.length)
  })
})

describe('a storage without room', () => {
  it('frees what nobody keeps for what comes, and says so when all of it is kept', async () => {
    const buckets = (navigator as Navigator & { storageBuckets: StorageBuckets }).storageBuckets
    const bucket = await buckets.open('room', { quota: 20_000_000 })
    const usual = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB')
    Object.defineProperty(globalThis, 'indexedDB', { value: bucket.indexedDB, configurable: true })
    try {
      const { store, collector, pins } = await open('room')
      const kept = await randomBlocks(20, 250_000)
      const root = await nodeOf(kept.map(({ cid }) => cid))
      await putAll(store, [root, ...kept])
      pins.push(root.cid.toString())
      // Three times what there is room for, one after the other.
      const viewed = await randomBlocks(200, 250_000)
      for (let at = 0; at < viewed.length; at += 10) {
        await putAll(store, viewed.slice(at, at + 10))
      }
      const last = viewed.at(-1)!
      expect(same(await readAll(store.get(last.cid)), last.bytes)).toBe(true)
      expect(store.has(viewed[0]!.cid)).toBe(false)
      for (const { cid, bytes } of kept) expect(same(await readAll(store.get(cid)), bytes)).toBe(true)
      // Now everything is kept.
      const arrival = collector.arrive()
      const more = await randomBlocks(120, 250_000)
      const results = await Promise.allSettled(more.map(({ cid, bytes }) => store.put(cid, bytes)))
      const refused = results.filter(({ status }) => status === 'rejected')
      expect(refused.length).toBeGreaterThan(0)
      for (const result of refused) expect(result).toMatchObject({ reason: { code: 'ERR_QUOTA_EXCEEDED' } })
      expect(held(store, kept)).toBe(kept.length)
      await arrival.discard()
      await store.close()
    } finally {
      if (usual === undefined) Reflect.deleteProperty(globalThis, 'indexedDB')
      else Object.defineProperty(globalThis, 'indexedDB', usual)
      await buckets.delete('room')
    }
  })
})

describe('verifying what IndexedDB holds', () => {
  it('finds a flipped byte, a value that is gone and a part of a file that changed; never gives them', async () => {
    const name = freshName()
    const first = await open(name)
    const dag = await makeDag(10)
    await putAll(first.store, dag.blocks)
    const parts = await randomBlocks(3, 1_000)
    const stored = await first.store.putFile(new File(parts.map(({ bytes }) => new Uint8Array(bytes)), 'name')) // prettier-ignore
    await stored!.refer(parts.map(({ cid }, at) => ({ cid, offset: at * 1000, length: 1000 })))
    await stored!.close()
    await first.store.close()

    const [flipped, gone] = [dag.blocks[5]!, dag.blocks[6]!]
    const database = await done(indexedDB.open(name))
    const change = database.transaction(['blocks', 'files'], 'readwrite')
    const bytes = flipped.bytes.slice()
    bytes[3] = (bytes[3] ?? 0) ^ 1
    change.objectStore('blocks').put(bytes, keyOf(flipped.cid.multihash.bytes))
    change.objectStore('blocks').delete(keyOf(gone.cid.multihash.bytes))
    const changed = new Uint8Array(3000)
    parts.forEach((part, at) => changed.set(part.bytes, at * 1000))
    changed[1500] = (changed[1500] ?? 0) ^ 1
    change.objectStore('files').put(new Blob([changed]), stored!.id)
    await new Promise((resolve) => (change.oncomplete = resolve))
    database.close()

    const { store } = await open(name)
    // Another node that has it all.
    const wrong = [flipped, gone, parts[1]!]
    const networked = {
      async *get(cid: Parameters<PocketBlockstore['get']>[0]) {
        const block = wrong.find((one) => keyOf(one.cid.multihash.bytes) === keyOf(cid.multihash.bytes))
        if (block === undefined) throw new Error('only what is wrong is asked for')
        await store.put(cid, block.bytes)
        yield block.bytes
      },
    }
    const source = createBlockSource({ networked, local: store })
    const init = { blocks: store, source, pins: () => [dag.root.toString()] }
    const report = await verifyRepo(init)
    expect(report).toMatchObject({ checked: dag.blocks.length + 3, damagedCount: 3, missingCount: 0, repaired: 0 })
    for (const { cid } of wrong) {
      expect(store.has(cid)).toBe(false)
      await expect(readAll(store.get(cid))).rejects.toMatchObject({ code: 'ERR_BLOCK_HASH_MISMATCH' })
    }
    expect(await verifyRepo(init, { repair: true })).toMatchObject({ damagedCount: 3, repaired: 3 })
    for (const { cid, bytes: right } of [...dag.blocks, ...parts]) expect(await readAll(store.get(cid))).toEqual(right)
    expect(await verifyRepo(init)).toMatchObject({ damagedCount: 0, missingCount: 0 })
  })

  it('never gives a changed value at the first read after a start either', async () => {
    const name = freshName()
    const first = await open(name)
    const { cid, bytes } = await randomBlock()
    await first.store.put(cid, bytes)
    await first.store.close()
    const database = await done(indexedDB.open(name))
    const change = database.transaction('blocks', 'readwrite')
    change.objectStore('blocks').put(new Uint8Array(bytes.length), keyOf(cid.multihash.bytes))
    await new Promise((resolve) => (change.oncomplete = resolve))
    database.close()
    const { store } = await open(name)
    expect(store.has(cid)).toBe(true)
    await expect(readAll(store.get(cid))).rejects.toMatchObject({ code: 'ERR_BLOCK_HASH_MISMATCH' })
    expect(store.has(cid)).toBe(false)
    await store.put(cid, bytes)
    expect(await readAll(store.get(cid))).toEqual(bytes)
  })
})
