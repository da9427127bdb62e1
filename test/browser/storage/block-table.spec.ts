import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { CID } from 'multiformats/cid'
import { createBlockstore } from '../../../src/core/storage/index.ts'
import { keyOf } from '../../../src/core/storage/keys.ts'
import { encodePage } from '../../../src/core/storage/log-page.ts'
import { openBlockTable } from '../../../src/platform/worker/indexeddb/index.ts'
import { randomBlock, randomBlocks, readAll } from '../../support/storage/blocks.ts'

/** What TypeScript 6 does not know yet: https://wicg.github.io/storage-buckets/ */
interface StorageBuckets {
  open(name: string, options: { quota: number }): Promise<{ indexedDB: IDBFactory }>
  delete(name: string): Promise<void>
}

/** A database of this test alone. */
function freshName(): string {
  const name = crypto.randomUUID()
  onTestFinished(() => void indexedDB.deleteDatabase(name))
  return name
}

async function openStore(name: string) {
  const store = await createBlockstore(await openBlockTable({ name }))
  onTestFinished(() => store.close())
  return store
}

/** The database as anybody else would open it. */
function openRaw(name: string, version?: number, upgrade?: (database: IDBDatabase) => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version)
    request.onupgradeneeded = () => upgrade?.(request.result)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('not opened'))
  })
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('failed'))
  })
}

describe('blocks in IndexedDB', () => {
  it('are there after closing and opening again, with the totals', async () => {
    const name = freshName()
    const first = await openStore(name)
    const blocks = await randomBlocks(150, 3000)
    await Promise.all(blocks.map(({ cid, bytes }) => first.put(cid, bytes)))
    await first.delete(blocks[0]!.cid)
    await first.close()
    const second = await openStore(name)
    expect(second.stat()).toEqual({ blocks: 149, bytes: 149 * 3000, files: 0, kind: 'persistent' })
    expect(second.has(blocks[0]!.cid)).toBe(false)
    const read = await Promise.all(blocks.slice(1).map(({ cid }) => readAll(second.get(cid))))
    expect(read.every((bytes, at) => bytes.every((byte, offset) => byte === blocks[at + 1]!.bytes[offset]))).toBe(true)
  })

  it('take their own bytes on disk and no more', async () => {
    const name = freshName()
    const store = await openStore(name)
    const { cid, bytes } = await randomBlock(100_000)
    const large = new Uint8Array(16_000_000)
    large.set(bytes, 777)
    await store.put(cid, large.subarray(777, 777 + bytes.byteLength))
    const raw = await openRaw(name)
    const [value] = (await done(raw.transaction('blocks').objectStore('blocks').getAll())) as Uint8Array[]
    raw.close()
    expect(value?.buffer.byteLength).toBe(100_000)
  })

  it('acknowledged before a worker was killed in mid-write are there and right', async () => {
    for (const size of [500, 300_000]) {
      const name = freshName()
      const worker = new Worker(new URL('./writer.worker.ts', import.meta.url), { type: 'module' })
      const stored: string[] = []
      await new Promise<void>((resolve, reject) => {
        worker.onerror = ({ message }) => reject(new Error(message))
        worker.onmessage = ({ data }: MessageEvent<string>) => {
          stored.push(data)
          if (stored.length === 200) resolve()
        }
        worker.postMessage({ name, size })
      })
      worker.terminate()
      const store = await openStore(name)
      expect(store.stat().blocks).toBeGreaterThanOrEqual(200)
      for (const text of stored) {
        const cid = CID.parse(text)
        const { digest } = cid.multihash
        const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', await exact(readAll(store.get(cid)))))
        expect(hash.every((byte, at) => byte === digest[at])).toBe(true)
      }
      // The index and the values agree on every block, acknowledged or not.
      let listed = 0
      for await (const { bytes } of store.getAll()) {
        expect((await readAll(bytes)).byteLength).toBe(size)
        listed++
      }
      expect(listed).toBe(store.stat().blocks)
    }
  })

  it('are refused with a code when there is no room, with nothing of the batch stored', async () => {
    const buckets = (navigator as Navigator & { storageBuckets: StorageBuckets }).storageBuckets
    const bucket = await buckets.open('small', { quota: 5_000_000 })
    await withIndexedDb({ value: bucket.indexedDB }, async () => {
      const store = await createBlockstore(await openBlockTable({ name: 'small' }))
      const kept = await randomBlock(1000)
      await store.put(kept.cid, kept.bytes)
      const blocks = await randomBlocks(40, 200_000)
      const results = await Promise.allSettled(blocks.map(({ cid, bytes }) => store.put(cid, bytes)))
      for (const result of results) expect(result).toMatchObject({ reason: { code: 'ERR_QUOTA_EXCEEDED' } })
      for (const { cid } of blocks) expect(await store.has(cid)).toBe(false)
      expect(store.stat()).toMatchObject({ blocks: 1, bytes: 1000 })
      await store.close()
      const again = await createBlockstore(await openBlockTable({ name: 'small' }))
      expect(again.stat()).toMatchObject({ blocks: 1, bytes: 1000 })
      expect(await readAll(again.get(kept.cid))).toEqual(kept.bytes)
      await again.close()
    })
    await buckets.delete('small')
  })

  it('are shared by two connections that follow each other', async () => {
    const name = freshName()
    const [ours, theirs] = [await openStore(name), await openStore(name)]
    const told = new Promise<void>((resolve) => {
      const channel = new BroadcastChannel(name)
      channel.onmessage = () => {
        channel.close()
        resolve()
      }
    })
    const [one, other] = await randomBlocks(2)
    await theirs.put(one!.cid, one!.bytes)
    await told
    await expect.poll(() => ours.has(one!.cid)).toBe(true)
    await Promise.all([ours.delete(one!.cid), theirs.put(other!.cid, other!.bytes)])
    await expect.poll(() => theirs.has(one!.cid)).toBe(false)
    await expect.poll(() => ours.stat()).toEqual(theirs.stat())
    expect(ours.stat().blocks).toBe(1)
  })

  it('end up the same in two stores that write and delete the same blocks at once', async () => {
    const name = freshName()
    const stores = [await openStore(name), await openStore(name)]
    const blocks = await randomBlocks(60, 200)
    await Promise.all(
      stores.flatMap((store) =>
        blocks.map(async ({ cid, bytes }, at) => {
          await store.put(cid, bytes)
          if (at % 2 === 0) await store.delete(cid)
          if (at % 4 === 0) await store.put(cid, bytes)
        }),
      ),
    )
    await Promise.all(stores.map((store) => store.close()))
    const store = await openStore(name)
    const raw = await openRaw(name)
    const count = (of: string) => done(raw.transaction(of).objectStore(of).count())
    await expect.poll(() => count('trash')).toBe(0)
    expect(await count('blocks')).toBe(store.stat().blocks)
    raw.close()
    let listed = 0
    for await (const { bytes } of store.getAll()) listed += (await readAll(bytes)).byteLength
    expect(listed).toBe(store.stat().bytes)
  })

  it('go on after the browser has closed the connection', async () => {
    const name = freshName()
    const store = await openStore(name)
    const { cid, bytes } = await randomBlock()
    await store.put(cid, bytes)
    // Another tab upgrades to no newer layout than ours: opens, makes the connection close, and gives up.
    const request = indexedDB.open(name, 1000)
    await new Promise<void>((resolve) => {
      request.onupgradeneeded = () => request.transaction?.abort()
      request.onerror = (event) => {
        event.preventDefault()
        resolve()
      }
    })
    expect(await readAll(store.get(cid))).toEqual(bytes)
    const next = await randomBlock()
    await store.put(next.cid, next.bytes)
    expect(store.stat().blocks).toBe(2)
  })

  it('open the database once more when the connection is lost, and only once', async () => {
    const name = freshName()
    const store = await openStore(name)
    const { cid, bytes } = await randomBlock()
    await store.put(cid, bytes)
    // WebKit throws this after a suspension; nothing here can make it.
    const lost = () => new DOMException('Connection to Indexed Database server lost. Refresh the page to try again', 'UnknownError') // prettier-ignore
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction')
    onTestFinished(() => transaction.mockRestore())
    const failOnce = () => {
      throw lost()
    }
    transaction.mockImplementationOnce(failOnce)
    expect(await readAll(store.get(cid))).toEqual(bytes)
    const next = await randomBlock()
    transaction.mockImplementationOnce(failOnce)
    await store.put(next.cid, next.bytes)
    expect(store.stat().blocks).toBe(2)
    transaction.mockImplementation(failOnce)
    await expect(readAll(store.get(cid))).rejects.toMatchObject({ code: 'ERR_STORAGE_LOST' })
    const last = await randomBlock()
    await expect(store.put(last.cid, last.bytes)).rejects.toMatchObject({ code: 'ERR_STORAGE_LOST' })
    transaction.mockRestore()
    expect(await store.has(last.cid)).toBe(false)
    expect(await readAll(store.get(next.cid))).toEqual(next.bytes)
  })

  it('let a newer version of the app upgrade, and say so from then on', async () => {
    const name = freshName()
    const store = await openStore(name)
    const { cid, bytes } = await randomBlock()
    await store.put(cid, bytes)
    const newer = await openRaw(name, 1000, (database) => void database.createObjectStore('of the future'))
    await expect(readAll(store.get(cid))).rejects.toMatchObject({ code: 'ERR_STORAGE_VERSION' })
    await expect(openBlockTable({ name })).rejects.toMatchObject({ code: 'ERR_STORAGE_VERSION' })
    expect(newer.version).toBe(1000)
    expect(await done(newer.transaction('blocks').objectStore('blocks').count())).toBe(1)
    newer.close()
  })

  it('come over from the first layout', async () => {
    const name = freshName()
    const { cid, bytes } = await randomBlock()
    const key = keyOf(cid.multihash.bytes)
    const old = await openRaw(name, 1, (database) => {
      database.createObjectStore('meta').add('some id', 'id')
      database.createObjectStore('files', { autoIncrement: true })
      database.createObjectStore('blocks').add(bytes, key)
      const location = { size: bytes.byteLength, file: 0, offset: 0 }
      database
        .createObjectStore('log', { autoIncrement: true })
        .add(encodePage([{ multihash: cid.multihash.bytes, location }]))
    })
    old.close()
    const store = await openStore(name)
    expect(await readAll(store.get(cid))).toEqual(bytes)
    await store.delete(cid)
    expect(store.stat().blocks).toBe(0)
    const raw = await openRaw(name)
    await expect.poll(() => done(raw.transaction('blocks').objectStore('blocks').count())).toBe(0)
    raw.close()
  })

  it('refuse a database that is not ours, and leave it as it is', async () => {
    const name = freshName()
    const foreign = await openRaw(name, 1, (database) => void database.createObjectStore('theirs').add('value', 'key'))
    foreign.close()
    await expect(openBlockTable({ name })).rejects.toMatchObject({ code: 'ERR_STORAGE_VERSION' })
    const again = await openRaw(name)
    expect([...again.objectStoreNames]).toEqual(['theirs'])
    again.close()
  })

  it('are lost, and say so, when the database is deleted under them', async () => {
    const name = freshName()
    const store = await openStore(name)
    const { cid, bytes } = await randomBlock()
    await store.put(cid, bytes)
    await done(indexedDB.deleteDatabase(name))
    await expect(readAll(store.get(cid))).rejects.toMatchObject({ code: 'ERR_STORAGE_LOST' })
    expect((await indexedDB.databases()).map((database) => database.name)).not.toContain(name)
    // Nor does one that was made again pass for it.
    const fresh = await openStore(name)
    expect(fresh.stat().blocks).toBe(0)
    const other = await randomBlock()
    await expect(store.put(other.cid, other.bytes)).rejects.toMatchObject({ code: 'ERR_STORAGE_LOST' })
    expect(fresh.stat().blocks).toBe(0)
  })

  it('are unavailable where IndexedDB is missing or throws', async () => {
    const unavailable = { code: 'ERR_STORAGE_UNAVAILABLE' }
    await withIndexedDb({ value: undefined }, async () => {
      await expect(openBlockTable()).rejects.toMatchObject(unavailable)
    })
    const open = () => {
      throw new DOMException('A mutation operation was attempted', 'InvalidStateError')
    }
    await withIndexedDb({ value: { open } }, async () => {
      await expect(openBlockTable()).rejects.toMatchObject(unavailable)
    })
    await (await openBlockTable({ name: freshName() })).close()
  })
})

/** Runs `work` with another global `indexedDB`. */
async function withIndexedDb(replacement: { value: unknown }, work: () => Promise<void>): Promise<void> {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB')
  if (own === undefined) throw new Error('no indexedDB to replace')
  Object.defineProperty(globalThis, 'indexedDB', { ...replacement, configurable: true })
  try {
    await work()
  } finally {
    Object.defineProperty(globalThis, 'indexedDB', own)
  }
}

async function exact(bytes: Promise<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await bytes)
}
