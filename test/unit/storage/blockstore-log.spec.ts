import { describe, expect, it } from 'vitest'
import { createBlockstore, createMemoryBlockTable } from '../../../src/core/storage/index.ts'
import { randomBlock, randomBlocks, readAll } from '../../support/storage/blocks.ts'
import { watchedTable } from '../../support/storage/watched-table.ts'

describe('blockstore, over its log', () => {
  it('makes room by deleting values that nobody needs, at the latest when there is none', async () => {
    const table = createMemoryBlockTable(undefined, { maxBytes: 1000 })
    const store = await createBlockstore(table)
    const [one, other] = [await randomBlock(600), await randomBlock(600)]
    await store.put(one.cid, one.bytes)
    const deleting = store.delete(one.cid)
    const putting = store.put(other.cid, other.bytes)
    await Promise.all([deleting, putting])
    expect(store.stat()).toMatchObject({ blocks: 1, bytes: 600 })
    expect(await readAll(store.get(other.cid))).toEqual(other.bytes)
  })

  it('deletes values after a restart that it had no time for, and none that came back', async () => {
    const table = createMemoryBlockTable()
    const busy = new Proxy(table, {
      get(target, name) {
        if (name === 'trash') return async () => undefined
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
    const first = await createBlockstore(busy)
    const [gone, back] = [await randomBlock(), await randomBlock()]
    for (const { cid, bytes } of [gone, back]) await first.put(cid, bytes)
    await Promise.all([first.delete(gone.cid), first.delete(back.cid)])
    await first.put(back.cid, back.bytes)
    await first.close()
    expect(await table.trash(10)).toBeDefined()
    const again = await createBlockstore(table)
    await expect.poll(() => table.trash(10)).toBeUndefined()
    const keys: string[] = []
    for await (const handful of table.keys()) keys.push(...handful)
    expect(keys).toHaveLength(1)
    expect(again.has(gone.cid)).toBe(false)
    expect(await readAll(again.get(back.cid))).toEqual(back.bytes)
  })

  it('does not fail a deletion because there is no room for what is put with it', async () => {
    const { table, batches } = watchedTable()
    const store = await createBlockstore(table)
    const [one, other] = [await randomBlock(), await randomBlock()]
    await store.put(one.cid, one.bytes)
    await Promise.all([store.delete(one.cid), store.put(other.cid, other.bytes)])
    const mixed = batches.filter(({ batch }) => batch.trash !== undefined && batch.blocks.length > 0)
    expect(mixed).toEqual([])
  })

  it('follows another store on the same table, and the order of the transactions', async () => {
    const table = createMemoryBlockTable()
    const [ours, theirs] = await Promise.all([createBlockstore(table), createBlockstore(table)])
    const [one, other] = await randomBlocks(2)
    if (one === undefined || other === undefined) throw new Error('no blocks')
    await theirs.put(one.cid, one.bytes)
    expect(ours.has(one.cid)).toBe(false)
    expect(await readAll(ours.get(one.cid))).toEqual(one.bytes)
    expect(ours.has(one.cid)).toBe(true)
    await ours.delete(one.cid)
    await theirs.put(other.cid, other.bytes)
    expect(theirs.has(one.cid)).toBe(false)
    expect(theirs.stat()).toMatchObject({ blocks: 1, bytes: other.bytes.byteLength })
  })

  it('merges the log, and other stores go on from the merged one', async () => {
    const table = createMemoryBlockTable()
    const [ours, theirs] = await Promise.all([createBlockstore(table), createBlockstore(table)])
    const blocks = await randomBlocks(400, 20)
    for (const { cid, bytes } of blocks) await ours.put(cid, bytes)
    for (const { cid } of blocks.slice(0, 100)) await ours.delete(cid)
    let pages = 0
    for await (const handful of table.log(0)) pages += handful.length
    expect(pages).toBeLessThan(300)
    const extra = await randomBlock(50)
    await theirs.put(extra.cid, extra.bytes)
    const fresh = await createBlockstore(table)
    for (const store of [theirs, fresh]) {
      expect(store.stat()).toMatchObject({ blocks: 301, bytes: 300 * 20 + 50 })
      expect(store.has(blocks[99]!.cid)).toBe(false)
      expect(store.has(blocks[100]!.cid)).toBe(true)
    }
  })
})
