import { mkdtemp, openAsBlob } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { importer } from 'ipfs-unixfs-importer'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AddSource } from '../../../src/contract/node-api.ts'
import { addContent } from '../../support/node/add-content.ts'
import { addStaged } from '../../../src/core/content/add.ts'
import { stageContent } from '../../../src/core/content/stage.ts'
import { stagedFiles } from '../../../src/core/content/staged.ts'
import type { BlockTable } from '../../../src/core/ports.ts'
import { createBlockstore, createMemoryBlockTable, type PocketBlockstore } from '../../../src/core/storage/index.ts'
import { randomBytes } from '../../support/node/node.ts'
import { readAll } from '../../support/storage/blocks.ts'

const MiB = 1024 * 1024
const quiet = { signal: new AbortController().signal, onProgress: () => undefined }

function streamOf(bytes: Uint8Array, step: number): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close()
      else controller.enqueue(bytes.slice(at, (at += step)))
    },
  })
}

/** What the importer of js-ipfs-unixfs makes of the same. */
async function expectedCid(entries: { path: string; content: Uint8Array }[], wrap = false): Promise<string> {
  let root = ''
  const options = { profile: 'unixfs-v1-2025', wrapWithDirectory: wrap } as const
  for await (const { cid } of importer(entries, await createBlockstore(createMemoryBlockTable()), options))
    root = cid.toString()
  return root
}

async function filesOf(table: BlockTable): Promise<number> {
  return (await table.fileIds()).length
}

/** The same table, but for `putFile`. */
function withPutFile(table: BlockTable, putFile: BlockTable['putFile']): BlockTable {
  return new Proxy(table, {
    get(target, name) {
      if (name === 'putFile') return putFile
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** A File whose bytes are on the disk. */
async function diskFile(bytes: Uint8Array): Promise<{ file: File; path: string }> {
  const folder = await promisify(mkdtemp)(join(tmpdir(), 'stage-'))
  onTestFinished(async () => rm(folder, { recursive: true }))
  const path = join(folder, 'source')
  await writeFile(path, bytes)
  return { path, file: new File([await openAsBlob(path)], 'source') }
}

async function expectNothing(table: BlockTable, store: PocketBlockstore): Promise<void> {
  expect(await filesOf(table)).toBe(0)
  expect(store.stat().blocks).toBe(0)
}

describe('content that is staged first', () => {
  const bytes = randomBytes(20 * MiB + 5)
  it.each<[string, number]>([
    ['nothing', 0],
    ['one byte', 1],
    ['1 MiB - 1', MiB - 1],
    ['1 MiB', MiB],
    ['1 MiB + 1', MiB + 1],
    ['more than a pack', 20 * MiB + 5],
  ])('has the CID of the importer, whatever it comes from: %s', async (_what, size) => {
    const content = bytes.slice(0, size)
    const expected = await expectedCid([{ path: 'x', content }])
    const sources: AddSource[] = [new File([content], 'x'), new Blob([content]), content, streamOf(content, 700_001)]
    for (const source of sources) {
      const table = createMemoryBlockTable()
      const blocks = await createBlockstore(table)
      const { cid, ...added } = await addContent(source, { blocks, files: blocks, ...quiet })
      expect(cid.toString()).toBe(expected)
      expect(added).toMatchObject({ size, files: 1, type: 'file' })
      // Without the staging the leaves are values: the same blocks.
      const values = await createBlockstore(createMemoryBlockTable())
      if (source instanceof Blob || source instanceof Uint8Array) {
        expect((await addContent(source, { blocks: values, ...quiet })).cid.toString()).toBe(expected)
        expect(values.stat()).toEqual({ ...blocks.stat(), files: 0 })
      }
    }
  })

  it('packs small files of a folder, spans packs, and reads them back from a store opened again', async () => {
    const table = createMemoryBlockTable()
    const blocks = await createBlockstore(table)
    const entries = Array.from({ length: 600 }, (_, at) => ({
      path: `many/${at % 7}/${at}.bin`,
      content: bytes.slice(at * 33, at * 33 + (at % 50 === 0 ? 2 * MiB + at : at * 40)),
    }))
    const progress: number[] = []
    const source = entries.map(({ path, content }, at) => ({
      path,
      content: at % 3 === 0 ? new File([content], 'f') : at % 3 === 1 ? content : streamOf(content, 100_003),
    }))
    const { cid, ...added } = await addContent(source, {
      blocks,
      files: blocks,
      signal: quiet.signal,
      onProgress: ({ bytes: done }) => progress.push(done),
    })
    const size = entries.reduce((sum, { content }) => sum + content.byteLength, 0)
    expect(added).toEqual({ size, files: 600, type: 'directory', name: 'many' })
    expect(cid.toString()).toBe(await expectedCid(entries))
    expect(progress).toEqual(progress.toSorted((a, b) => a - b))
    expect(progress.at(-1)).toBe(size)
    // 36 MiB: 4 Files of more than a leaf, and the rest in packs of 8 MiB.
    expect(await filesOf(table)).toBeLessThan(12)
    const again = await createBlockstore(table)
    for await (const { cid: leaf, bytes: content } of again.getAll()) {
      expect((await readAll(content)).byteLength).toBe(again.sizeOf(leaf))
    }
  })

  it('is gone on with in another process by its record alone', async () => {
    const table = createMemoryBlockTable()
    const first = await createBlockstore(table)
    const entries = [
      { path: 'a/big', content: new File([bytes], 'big') },
      { path: 'a/small', content: bytes.slice(0, 100) },
      { path: 'a/empty', content: new Uint8Array() },
    ]
    const staged = await stageContent(entries, { files: first, signal: quiet.signal })
    const record = structuredClone(staged!.record)
    const second = await createBlockstore(table)
    expect(await second.sweepFiles(stagedFiles(record))).toBe(0)
    const added = await addStaged(record, { blocks: second, files: second, ...quiet })
    const expected = [
      { path: 'a/big', content: bytes },
      { path: 'a/small', content: bytes.slice(0, 100) },
      { path: 'a/empty', content: new Uint8Array() },
    ]
    expect(added.cid.toString()).toBe(await expectedCid(expected))
    expect(added).toMatchObject({ size: bytes.length + 100, files: 3, name: 'a' })
    expect(await second.sweepFiles()).toBe(0)
  })

  it('cannot be gone on with when its files were swept', async () => {
    const table = createMemoryBlockTable()
    const staged = await stageContent(bytes, { files: await createBlockstore(table), signal: quiet.signal })
    const second = await createBlockstore(table)
    expect(await second.sweepFiles()).toBe(stagedFiles(staged!.record).length)
    await expect(addStaged(staged!.record, { blocks: second, files: second, ...quiet })).rejects.toMatchObject({
      code: 'ERR_SOURCE_UNREADABLE',
    })
  })

  it('leaves no file when it is not added after all', async () => {
    const table = createMemoryBlockTable()
    const store = await createBlockstore(table)
    const source = [
      { path: 'a', content: new File([bytes], 'a') },
      { path: 'b', content: bytes.slice(7) },
    ]
    const staged = await stageContent(source, { files: store, signal: quiet.signal })
    expect(await filesOf(table)).toBeGreaterThan(1)
    await staged!.close()
    await expectNothing(table, store)
  })

  it('leaves no file when it is stopped in the middle, or a later source cannot be read', async () => {
    const table = createMemoryBlockTable()
    const store = await createBlockstore(table)
    const stop = new AbortController()
    const stopped = stageContent(streamOf(bytes, 100_000), {
      files: store,
      signal: stop.signal,
      onProgress: (done) => done > 12 * MiB && stop.abort(),
    })
    await expect(stopped).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    await expectNothing(table, store)
    const broken = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error('gone')) })
    const failing = stageContent(
      [
        { path: 'a', content: new File([bytes], 'a') },
        { path: 'b', content: bytes },
        { path: 'c', content: broken },
      ],
      { files: store, signal: quiet.signal },
    )
    await expect(failing).rejects.toMatchObject({ code: 'ERR_SOURCE_UNREADABLE' })
    await expectNothing(table, store)
  })

  it.each([MiB / 2, 3 * MiB])('refuses a source of %d bytes that changed after it was picked', async (size) => {
    const table = createMemoryBlockTable()
    const store = await createBlockstore(table)
    const { file, path } = await diskFile(bytes.subarray(0, size))
    await writeFile(path, bytes.subarray(1, size))
    await expect(stageContent(file, { files: store, signal: quiet.signal })).rejects.toMatchObject({
      code: 'ERR_SOURCE_UNREADABLE',
    })
    await expectNothing(table, store)
  })

  it('refuses a source that changes while it is stored', async () => {
    const table = createMemoryBlockTable()
    const { file, path } = await diskFile(bytes.subarray(0, 3 * MiB))
    let puts = 0
    const changing = withPutFile(table, async (blob) => {
      const id = await table.putFile(blob)
      // The first is the store's own, which tries whether Blobs are kept.
      if (++puts === 2) await writeFile(path, bytes.subarray(5, 3 * MiB))
      return id
    })
    const store = await createBlockstore(changing)
    await expect(stageContent(file, { files: store, signal: quiet.signal })).rejects.toMatchObject({
      code: 'ERR_SOURCE_CHANGED',
    })
    await expectNothing(table, store)
  })

  it.each<[string, (copy: Uint8Array) => Uint8Array]>([
    ['its beginning', (copy) => copy.fill(0, 0, 100)],
    ['its end', (copy) => copy.fill(0, copy.length - 100)],
    ['fewer bytes', (copy) => copy.subarray(0, MiB)],
  ])('refuses a File whose copy differs in %s', async (_what, tear) => {
    const table = createMemoryBlockTable()
    let puts = 0
    const torn = withPutFile(table, async (blob) => {
      if (++puts === 1) return table.putFile(blob)
      return table.putFile(new Blob([tear(new Uint8Array(await blob.arrayBuffer())).slice()]))
    })
    const store = await createBlockstore(torn)
    const staging = stageContent(new File([bytes.slice(0, 3 * MiB)], 'a'), { files: store, signal: quiet.signal })
    await expect(staging).rejects.toMatchObject({ code: 'ERR_SOURCE_CHANGED' })
    await expectNothing(table, store)
  })

  it('keeps the pieces of a stream in order, whichever put is quicker', async () => {
    const table = createMemoryBlockTable()
    let puts = 0
    const second = Promise.withResolvers<void>()
    const uneven = withPutFile(table, async (blob) => {
      const put = ++puts
      // After the store's own, the first pack is there only after the second.
      if (put === 2) await second.promise
      const id = await table.putFile(blob)
      if (put === 3) second.resolve()
      return id
    })
    const blocks = await createBlockstore(uneven)
    const { cid } = await addContent(streamOf(bytes, MiB + 3), { blocks, files: blocks, ...quiet })
    expect(cid.toString()).toBe(await expectedCid([{ path: 'x', content: bytes }]))
  })

  it('stores leaves as values where no Blobs are kept', async () => {
    const table = withPutFile(createMemoryBlockTable(), () => Promise.reject(new Error('DataCloneError')))
    const blocks = await createBlockstore(table)
    const { cid } = await addContent(new File([bytes], 'a'), { blocks, files: blocks, ...quiet })
    expect(cid.toString()).toBe(await expectedCid([{ path: 'x', content: bytes }]))
    expect(blocks.stat().blocks).toBe(22)
  })
})
