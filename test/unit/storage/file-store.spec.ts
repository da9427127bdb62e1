import { describe, expect, it } from 'vitest'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { createBlockstore, createMemoryBlockTable, type FilePart } from '../../../src/core/storage/index.ts'
import type { BlockTable } from '../../../src/core/ports.ts'
import { randomBlock, randomBlocks, readAll, type TestBlock } from '../../support/storage/blocks.ts'

/** A file, and its bytes as blocks of `size`. */
async function randomFile(count: number, size = 1000): Promise<{ file: File; blocks: TestBlock[]; parts: FilePart[] }> {
  const blocks = await randomBlocks(count, size)
  const file = new File(
    blocks.map(({ bytes }) => new Uint8Array(bytes)),
    'name',
  )
  const parts = blocks.map(({ cid }, at) => ({ cid, offset: at * size, length: size }))
  return { file, blocks, parts }
}

/** The same table with some methods of its own. */
function overlay(table: BlockTable, own: Partial<BlockTable>): BlockTable {
  return new Proxy(table, {
    get(target, name) {
      const value: unknown = Reflect.get(name in own ? own : target, name)
      return typeof value === 'function' ? (value.bind(name in own ? own : target) as unknown) : value
    },
  })
}

/** The bytes that files of the table give are others than were put. */
function corrupting(table: BlockTable, at: number): BlockTable {
  return overlay(table, {
    getFile: async (id) => {
      const bytes = new Uint8Array((await (await table.getFile(id))?.arrayBuffer()) ?? new ArrayBuffer(0))
      bytes[at] = (bytes[at] ?? 0) ^ 1
      return new Blob([bytes])
    },
  })
}

async function added(table: BlockTable, count = 5) {
  const store = await createBlockstore(table)
  const { file, blocks, parts } = await randomFile(count)
  const stored = await store.putFile(file)
  if (stored === undefined) throw new Error('files are not supported')
  await stored.refer(parts)
  await stored.close()
  return { store, blocks, id: stored.id }
}

describe('files whose parts are blocks', () => {
  it('are read as blocks, listed and counted, also after opening again', async () => {
    const table = createMemoryBlockTable()
    const { store, blocks } = await added(table)
    for (const opened of [store, await createBlockstore(table)]) {
      expect(opened.stat()).toMatchObject({ blocks: 5, bytes: 5000 })
      for (const { cid, bytes } of blocks) expect(await readAll(opened.get(cid))).toEqual(bytes)
      let listed = 0
      for await (const pair of opened.getAll()) listed += (await readAll(pair.bytes)).byteLength
      expect(listed).toBe(5000)
    }
    for await (const keys of table.keys()) expect(keys).toEqual([])
  })

  it('leave a block alone that is there as a value, and are left alone by a put', async () => {
    const table = createMemoryBlockTable()
    const store = await createBlockstore(table)
    const { file, blocks, parts } = await randomFile(3)
    await store.put(blocks[0]!.cid, blocks[0]!.bytes)
    const stored = await store.putFile(file)
    await stored?.refer(parts)
    await store.put(blocks[1]!.cid, blocks[1]!.bytes)
    expect(store.stat()).toMatchObject({ blocks: 3, bytes: 3000 })
    const keys = []
    for await (const handful of table.keys()) keys.push(...handful)
    expect(keys).toHaveLength(1)
  })

  it('go with their last block, not before', async () => {
    const table = createMemoryBlockTable()
    const { store, blocks } = await added(table)
    for (const { cid } of blocks.slice(1)) await store.delete(cid)
    expect(await table.fileIds()).toHaveLength(1)
    await store.delete(blocks[0]!.cid)
    expect(await table.fileIds()).toEqual([])
    expect(store.stat()).toMatchObject({ blocks: 0, bytes: 0 })
  })

  it('go with their last block when all are deleted at once, by a store that did not add them', async () => {
    const table = createMemoryBlockTable()
    const { store, blocks } = await added(table, 50)
    const other = await createBlockstore(table)
    await Promise.all(blocks.map(({ cid }) => other.delete(cid)))
    expect(await table.fileIds()).toEqual([])
    await expect(readAll(store.get(blocks[0]!.cid))).rejects.toMatchObject({ name: 'NotFoundError' })
    expect(store.has(blocks[0]!.cid)).toBe(false)
  })

  it('stay while they are open, and go on closing if nothing refers to them', async () => {
    const table = createMemoryBlockTable()
    const store = await createBlockstore(table)
    const { file, blocks, parts } = await randomFile(2)
    const stored = await store.putFile(file)
    await stored?.refer(parts.slice(0, 1))
    await store.delete(blocks[0]!.cid)
    expect(await store.sweepFiles()).toBe(0)
    await stored?.refer(parts.slice(1))
    await stored?.close()
    expect(await readAll(store.get(blocks[1]!.cid))).toEqual(blocks[1]!.bytes)
    const unused = await store.putFile(file)
    await unused?.close()
    expect(await table.fileIds()).toEqual([stored?.id])
  })

  it('that an add left behind are swept, or taken up again', async () => {
    const table = createMemoryBlockTable()
    const { file, blocks, parts } = await randomFile(2)
    const { id } = (await (await createBlockstore(table)).putFile(file))!
    await (await createBlockstore(table)).putFile(file)
    const store = await createBlockstore(table)
    const stored = await store.openFile(id)
    expect(await store.sweepFiles()).toBe(1)
    await stored?.refer(parts)
    await stored?.close()
    expect(await readAll(store.get(blocks[1]!.cid))).toEqual(blocks[1]!.bytes)
    expect(await store.openFile(id + 1)).toBeUndefined()
  })

  it('are not deleted under a part that another store has just referred to', async () => {
    const table = createMemoryBlockTable()
    const { store, blocks, id } = await added(table, 1)
    const other = await createBlockstore(table)
    const reopened = await other.openFile(id)
    const half = (await reopened!.blob.slice(0, 500).bytes()) // prettier-ignore
    const cid = CID.createV1(raw.code, await sha256.digest(half))
    await reopened!.refer([{ cid, offset: 0, length: 500 }])
    await store.delete(blocks[0]!.cid)
    expect(await table.fileIds()).toEqual([id])
    expect(await readAll(store.get(cid))).toEqual(half)
  })

  it('that changed are damaged blocks, never data; a put repairs them', async () => {
    const table = createMemoryBlockTable()
    const { blocks } = await added(table)
    const store = await createBlockstore(corrupting(table, 1500))
    expect(await readAll(store.get(blocks[0]!.cid))).toEqual(blocks[0]!.bytes)
    const damaged = { code: 'ERR_BLOCK_HASH_MISMATCH' }
    const { cid, bytes } = blocks[1]!
    expect(store.has(cid)).toBe(true)
    await expect(readAll(store.get(cid))).rejects.toMatchObject(damaged)
    expect(store.has(cid)).toBe(false)
    await expect(readAll(store.get(cid))).rejects.toMatchObject(damaged)
    await store.put(cid, bytes)
    expect(store.has(cid)).toBe(true)
    expect(await readAll(store.get(cid))).toEqual(bytes)
    expect(store.stat()).toMatchObject({ blocks: 5, bytes: 5000 })
  })

  it('that are gone or shorter are damaged too', async () => {
    for (const getFile of [async () => undefined, async () => new Blob(['short'])]) {
      const table = createMemoryBlockTable()
      const { blocks } = await added(table)
      const store = await createBlockstore(overlay(table, { getFile }))
      await expect(readAll(store.get(blocks[1]!.cid))).rejects.toMatchObject({ code: 'ERR_BLOCK_HASH_MISMATCH' })
    }
  })

  it('that became shorter give no short block, even one that was compared before', async () => {
    const table = createMemoryBlockTable()
    let short = false
    const getFile = async (id: number) => (short ? new Blob(['short']) : table.getFile(id))
    const { store, blocks } = await added(overlay(table, { getFile }))
    short = true
    await expect(readAll(store.get(blocks[1]!.cid))).rejects.toMatchObject({ code: 'ERR_BLOCK_HASH_MISMATCH' })
  })

  it('are refused where the browser keeps no Blobs or gives wrong slices', async () => {
    const refusing = overlay(createMemoryBlockTable(), { putFile: () => Promise.reject(new Error('DataCloneError')) })
    const wrong = corrupting(createMemoryBlockTable(), 20)
    for (const table of [refusing, wrong]) {
      const store = await createBlockstore(table)
      expect(await store.putFile((await randomFile(1)).file)).toBeUndefined()
      expect(await table.fileIds()).toEqual([])
    }
  })

  it('refuses a source that cannot be read, and parts beyond the end', async () => {
    const table = createMemoryBlockTable()
    const store = await createBlockstore(table)
    const { file, parts } = await randomFile(1)
    const gone = Object.assign(new File(['x'], 'gone'), {
      arrayBuffer: () => Promise.reject(new Error('gone')),
      slice: () => ({ arrayBuffer: () => Promise.reject(new Error('gone')) }),
    })
    await expect(store.putFile(gone)).rejects.toMatchObject({ code: 'ERR_SOURCE_UNREADABLE' })
    const stored = await store.putFile(file)
    const invalid = { code: 'ERR_INVALID_ARGUMENT' }
    await expect(stored!.refer([{ ...parts[0]!, offset: 1 }])).rejects.toMatchObject(invalid)
    await expect(stored!.refer([{ ...parts[0]!, offset: -1 }])).rejects.toMatchObject(invalid)
    expect(store.stat().blocks).toBe(0)
  })

  it('survive merging the log', async () => {
    const table = createMemoryBlockTable()
    const { store, blocks } = await added(table, 20)
    for (const { cid, bytes } of await randomBlocks(300, 10)) await store.put(cid, bytes)
    const again = await createBlockstore(table)
    expect(again.stat()).toMatchObject({ blocks: 320, bytes: 23_000 })
    for (const { cid, bytes } of blocks) expect(await readAll(again.get(cid))).toEqual(bytes)
    const { cid } = await randomBlock()
    expect(again.has(cid)).toBe(false)
  })
})
