import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createBlockstore } from '../../../src/core/storage/index.ts'
import { openBlockTable } from '../../../src/platform/worker/indexeddb/index.ts'
import { randomBlocks, readAll } from '../../support/storage/blocks.ts'

const MiB = 1024 * 1024

async function openStore(name: string) {
  const store = await createBlockstore(await openBlockTable({ name }))
  onTestFinished(() => store.close())
  return store
}

async function usage(): Promise<number> {
  return (await navigator.storage.estimate()).usage ?? 0
}

describe('files in IndexedDB whose parts are blocks', () => {
  it('take their bytes once, are read after opening again, and give the space back', async () => {
    const name = crypto.randomUUID()
    const before = await usage()
    const blocks = await randomBlocks(32, MiB)
    const file = new File(
      blocks.map(({ bytes }) => new Uint8Array(bytes)),
      'film',
    )
    const store = await openStore(name)
    const stored = await store.putFile(file)
    expect(stored?.blob.size).toBe(32 * MiB)
    await stored!.refer(blocks.map(({ cid }, at) => ({ cid, offset: at * MiB, length: MiB })))
    await stored!.close()
    await store.close()
    expect((await usage()) - before).toBeLessThan(32 * MiB * 1.02)
    const again = await openStore(name)
    expect(again.stat()).toMatchObject({ blocks: 32, bytes: 32 * MiB })
    for (const { cid, bytes } of blocks) {
      const read = await readAll(again.get(cid))
      expect(read.byteLength).toBe(MiB)
      expect(indexedDB.cmp(read, bytes)).toBe(0)
    }
    await Promise.all(blocks.map(({ cid }) => again.delete(cid)))
    expect(again.stat().blocks).toBe(0)
    await expect.poll(usage, { timeout: 10_000 }).toBeLessThan(before + MiB)
  })

  it('are synced when they are put: a later checkpoint does not reach them', async () => {
    const store = await openStore(crypto.randomUUID())
    expect(await store.keepsFiles()).toBe(true)
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction')
    onTestFinished(() => transaction.mockRestore())
    const stored = await store.putFile(new File(['film'], 'film'))
    const writes = transaction.mock.calls.filter(([, mode]) => mode === 'readwrite')
    expect(writes.map(([, , options]) => options)).toEqual([{ durability: 'strict' }])
    await stored?.close()
  })

  it('are deleted by whichever connection deletes the last part, and missing for the other', async () => {
    const name = crypto.randomUUID()
    const [ours, theirs] = [await openStore(name), await openStore(name)]
    const blocks = await randomBlocks(4, 5000)
    const stored = await ours.putFile(
      new File(
        blocks.map(({ bytes }) => new Uint8Array(bytes)),
        'a',
      ),
    )
    await stored!.refer(blocks.map(({ cid }, at) => ({ cid, offset: at * 5000, length: 5000 })))
    await stored!.close()
    await expect.poll(() => theirs.stat().blocks).toBe(4)
    expect(await readAll(theirs.get(blocks[2]!.cid))).toEqual(blocks[2]!.bytes)
    await Promise.all(blocks.map(({ cid }, at) => (at % 2 === 0 ? ours : theirs).delete(cid)))
    await expect.poll(() => [ours.stat().blocks, theirs.stat().blocks]).toEqual([0, 0])
    await expect(readAll(theirs.get(blocks[2]!.cid))).rejects.toMatchObject({ name: 'NotFoundError' })
    expect(await ours.sweepFiles()).toBe(0)
  })

  it('leave nothing when the add is cut off before its first block', async () => {
    const name = crypto.randomUUID()
    const first = await openStore(name)
    const stored = await first.putFile(new File([new Uint8Array(MiB)], 'a'))
    await first.close()
    const second = await openStore(name)
    expect(await second.openFile(stored!.id)).toMatchObject({ id: stored!.id })
    const third = await openStore(name)
    expect(await third.sweepFiles()).toBe(1)
    expect(await third.openFile(stored!.id)).toBeUndefined()
  })
})
