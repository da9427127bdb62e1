import { describe, expect, it } from 'vitest'
import { CID } from 'multiformats/cid'
import { createBlockstore, createMemoryBlockTable } from '../../../src/core/storage/index.ts'
import { PocketError } from '../../../src/shared/errors.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { randomBlock, randomBlocks, readAll } from '../../support/storage/blocks.ts'
import { watchedTable } from '../../support/storage/watched-table.ts'

/** The first chunk itself, not a copy. */
async function readFirst(chunks: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  const { value } = (await chunks.next()) as { value: Uint8Array }
  return value
}

describe('blockstore', () => {
  it('acknowledges a put after the commit, and has() waits for it', async () => {
    const { table, hold } = watchedTable()
    const store = await createBlockstore(table)
    const { cid, bytes } = await randomBlock()
    const open = hold()
    const order: string[] = []
    const put = store.put(cid, bytes).then(() => order.push('put'))
    await Promise.resolve()
    const has = Promise.resolve(store.has(cid)).then((is) => order.push(`has ${is}`))
    expect(await readAll(store.get(cid))).toEqual(bytes)
    expect(store.stat().blocks).toBe(0)
    order.push('open')
    open()
    await Promise.all([put, has])
    expect(order[0]).toBe('open')
    expect(order).toContain('has true')
    expect(store.has(cid)).toBe(true)
  })

  it('stores its own exact-length copy of a view', async () => {
    const { table, batches } = watchedTable()
    const store = await createBlockstore(table)
    const { cid, bytes } = await randomBlock(1000)
    const large = new Uint8Array(1_000_000)
    large.set(bytes, 5000)
    const view = large.subarray(5000, 6000)
    const put = store.put(cid, view)
    await Promise.resolve()
    large.fill(0)
    await put
    expect(batches[0]?.batch.blocks[0]?.value?.buffer.byteLength).toBe(1000)
    expect(await readAll(store.get(cid))).toEqual(bytes)
  })

  it('gives each reader of a pending block bytes of its own', async () => {
    const { table, hold } = watchedTable()
    const store = await createBlockstore(table)
    const { cid, bytes } = await randomBlock()
    const open = hold()
    const put = store.put(cid, bytes)
    await Promise.resolve()
    for await (const chunk of store.get(cid)) structuredClone(chunk, { transfer: [chunk.buffer as ArrayBuffer] })
    open()
    await put
    expect(await readAll(store.get(cid))).toEqual(bytes)
  })

  it('gives two readers of one block bytes of their own', async () => {
    const { table } = watchedTable()
    const store = await createBlockstore(table)
    const { cid, bytes } = await randomBlock()
    await store.put(cid, bytes)
    const [one, other] = await Promise.all([readFirst(store.get(cid)), readFirst(store.get(cid))])
    structuredClone(one, { transfer: [one.buffer as ArrayBuffer] })
    expect(other).toEqual(bytes)
  })

  it('gathers writes into few transactions and splits large batches', async () => {
    const { table, batches } = watchedTable()
    const store = await createBlockstore(table)
    const small = await randomBlocks(200)
    await Promise.all(small.map(({ cid, bytes }) => store.put(cid, bytes)))
    expect(batches.length).toBe(Math.ceil(200 / LIMITS.writeBatchBlocks))
    const large = await randomBlocks(12, 1024 * 1024)
    await Promise.all(large.map(({ cid, bytes }) => store.put(cid, bytes)))
    for (const { batch } of batches) {
      const size = batch.blocks.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0)
      expect(size).toBeLessThanOrEqual(LIMITS.writeBatchBytes)
    }
  })

  it('writes a block once, whatever its CID', async () => {
    const { table, batches } = watchedTable()
    const store = await createBlockstore(table)
    const { cid, bytes } = await randomBlock()
    const dagPb = CID.createV1(0x70, cid.multihash)
    await Promise.all([store.put(cid, bytes), store.put(dagPb, bytes)])
    await store.put(CID.createV0(cid.multihash as never), bytes)
    expect(batches.flatMap(({ batch }) => batch.blocks)).toHaveLength(1)
    expect(await readAll(store.get(dagPb))).toEqual(bytes)
    expect(store.stat()).toMatchObject({ blocks: 1, bytes: bytes.byteLength })
  })

  it('rejects each put of a batch that fails, and counts none of them', async () => {
    const { table, fail } = watchedTable()
    const store = await createBlockstore(table)
    const kept = await randomBlock()
    await store.put(kept.cid, kept.bytes)
    fail(new PocketError('ERR_QUOTA_EXCEEDED'))
    const blocks = await randomBlocks(3)
    const results = await Promise.allSettled(blocks.map(({ cid, bytes }) => store.put(cid, bytes)))
    for (const result of results) expect(result).toMatchObject({ reason: { code: 'ERR_QUOTA_EXCEEDED' } })
    for (const { cid } of blocks) expect(await store.has(cid)).toBe(false)
    expect(store.stat().blocks).toBe(1)
    fail(undefined)
    await Promise.all(blocks.map(({ cid, bytes }) => store.put(cid, bytes)))
    expect(store.stat().blocks).toBe(4)
  })

  it('gives an error without a code the one for lost storage', async () => {
    const { table, fail } = watchedTable()
    const store = await createBlockstore(table)
    const { cid, bytes } = await randomBlock()
    fail(new Error('Connection to Indexed Database server lost'))
    await expect(store.put(cid, bytes)).rejects.toMatchObject({ code: 'ERR_STORAGE_LOST' })
  })

  it('answers has() for a failing pending put with no', async () => {
    const { table, fail, hold } = watchedTable()
    const store = await createBlockstore(table)
    const { cid, bytes } = await randomBlock()
    const open = hold()
    fail(new PocketError('ERR_QUOTA_EXCEEDED'))
    const put = store.put(cid, bytes)
    await Promise.resolve()
    const has = store.has(cid)
    open()
    await expect(put).rejects.toMatchObject({ code: 'ERR_QUOTA_EXCEEDED' })
    expect(await has).toBe(false)
  })

  it('keeps the order of put and delete of one block', async () => {
    const store = await createBlockstore(createMemoryBlockTable())
    const { cid, bytes } = await randomBlock()
    const put = store.put(cid, bytes)
    await Promise.resolve()
    const gone = store.delete(cid)
    expect(store.has(cid)).toBe(false)
    await expect(readAll(store.get(cid))).rejects.toMatchObject({ name: 'NotFoundError' })
    const again = store.put(cid, bytes)
    await Promise.all([put, gone, again])
    expect(store.stat().blocks).toBe(1)
    expect(await readAll(store.get(cid))).toEqual(bytes)
  })

  it('refuses a block over 2 MiB, also one that comes in pieces, without reading it all', async () => {
    const store = await createBlockstore(createMemoryBlockTable())
    const { cid } = await randomBlock()
    const refused = { code: 'ERR_BLOCK_TOO_LARGE' }
    await expect(store.put(cid, new Uint8Array(LIMITS.maxBlockBytes + 1))).rejects.toMatchObject(refused)
    let pieces = 0
    const endless = (function* () {
      for (;;) {
        pieces++
        yield new Uint8Array(1024 * 1024)
      }
    })()
    await expect(store.put(cid, endless)).rejects.toMatchObject(refused)
    expect(pieces).toBe(3)
    expect(store.stat().blocks).toBe(0)
    await store.put(cid, new Uint8Array(LIMITS.maxBlockBytes))
    expect(store.stat().bytes).toBe(LIMITS.maxBlockBytes)
  })

  it('checks the hash when asked to', async () => {
    const store = await createBlockstore(createMemoryBlockTable())
    const [one, other] = await randomBlocks(2)
    if (one === undefined || other === undefined) throw new Error('no blocks')
    await expect(store.put(one.cid, other.bytes, { verify: true })).rejects.toMatchObject({
      code: 'ERR_BLOCK_HASH_MISMATCH',
    })
    expect(await store.has(one.cid)).toBe(false)
    await store.put(one.cid, one.bytes, { verify: true })
    expect(await store.has(one.cid)).toBe(true)
  })

  it('puts a strict checkpoint behind what was written before', async () => {
    const { table, batches } = watchedTable()
    const store = await createBlockstore(table)
    const { cid, bytes } = await randomBlock()
    const put = store.put(cid, bytes)
    await Promise.resolve()
    await store.flush('strict')
    expect(await store.has(cid)).toBe(true)
    expect(batches.map(({ durability }) => durability)).toContain('strict')
    await put
    await store.flush('strict')
    expect(batches.at(-1)).toMatchObject({ durability: 'strict', batch: { blocks: [] } })
  })

  it('refuses work after close, and closing waits for what was put', async () => {
    const table = createMemoryBlockTable()
    const store = await createBlockstore(table)
    const { cid, bytes } = await randomBlock()
    const put = store.put(cid, bytes)
    await Promise.resolve()
    await store.close()
    await put
    await expect(store.put(cid, bytes)).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    const again = await createBlockstore(table)
    expect(await readAll(again.get(cid))).toEqual(bytes)
  })

  it('says why it is in memory, and how much fits', async () => {
    const store = await createBlockstore(createMemoryBlockTable('ERR_STORAGE_UNAVAILABLE', { maxBytes: 1000 }))
    expect(store.stat()).toEqual({ blocks: 0, bytes: 0, files: 0, kind: 'memory', code: 'ERR_STORAGE_UNAVAILABLE' })
    const [one, other] = await randomBlocks(2, 600)
    if (one === undefined || other === undefined) throw new Error('no blocks')
    await store.put(one.cid, one.bytes)
    await expect(store.put(other.cid, other.bytes)).rejects.toMatchObject({ code: 'ERR_QUOTA_EXCEEDED' })
    await store.delete(one.cid)
    await store.put(other.cid, other.bytes)
  })
})
