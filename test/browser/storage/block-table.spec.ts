import { describe, expect, it } from 'vitest'
import { CID } from 'multiformats/cid'
import { createBlockstore } from '../../../src/core/storage/index.ts'
import { openBlockTable } from '../../../src/platform/worker/indexeddb/index.ts'
import { randomBlock, randomBlocks, readAll } from '../../support/storage/blocks.ts'
import { done, freshName, openRaw, openStore, withIndexedDb } from '../../support/storage/databases.ts'

/** What TypeScript 6 does not know yet: https://wicg.github.io/storage-buckets/ */
interface StorageBuckets {
  open(name: string, options: { quota: number }): Promise<{ indexedDB: IDBFactory }>
  delete(name: string): Promise<void>
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
})

async function exact(bytes: Promise<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await bytes)
}
