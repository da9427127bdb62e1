import { describe, expect, it } from 'vitest'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { addContent } from '../../support/node/add-content.ts'
import { createBlockSource } from '../../../src/core/content/block-source.ts'
import { readCar } from '../../../src/core/car/decode.ts'
import { dagOrder } from '../../../src/core/car/dag-order.ts'
import { encodeHeader, encodeSectionHead } from '../../../src/core/car/encode.ts'
import { createBlockstore, createMemoryBlockTable, type PocketBlockstore } from '../../../src/core/storage/index.ts'
import { randomBytes } from '../../support/node/node.ts'

const store = async (): Promise<PocketBlockstore> => createBlockstore(createMemoryBlockTable())
const local = (blocks: PocketBlockstore): ReturnType<typeof createBlockSource> =>
  createBlockSource({ networked: blocks, local: blocks })

async function* exportCar(root: CID, source: ReturnType<typeof local>): AsyncGenerator<Uint8Array> {
  yield encodeHeader([root])
  for await (const { cid, bytes } of dagOrder(root, source)) {
    yield encodeSectionHead(cid, bytes.byteLength)
    yield bytes
  }
}

async function importCar(source: AsyncIterable<Uint8Array>, to: PocketBlockstore): Promise<CID[]> {
  const car = await readCar(source)
  for await (const { cid, bytes } of car.blocks) await to.put(cid, bytes, { verify: true })
  return car.roots
}

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(Buffer.concat(await Array.fromAsync(source)))
}

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.slice(at, at + size)
}

async function addFile(blocks: PocketBlockstore, bytes: Uint8Array): Promise<CID> {
  const { cid } = await addContent(bytes, { blocks, signal: new AbortController().signal, onProgress: () => undefined })
  return cid
}

async function carOf(bytes: Uint8Array): Promise<{ cid: CID; car: Uint8Array; from: PocketBlockstore }> {
  const from = await store()
  const cid = await addFile(from, bytes)
  return { cid, car: await bytesOf(exportCar(cid, local(from))), from }
}

describe('CAR', () => {
  it.each([1, 7, 4096, 1 << 20, 1 << 26])('goes out and comes in, in chunks of %i bytes', async (size) => {
    const { cid, car, from } = await carOf(randomBytes(size === 1 ? 3_000 : 3_200_000))
    const to = await store()
    const roots = await importCar(inChunks(car, size), to)
    expect(roots.map(String)).toEqual([cid.toString()])
    expect(to.stat()).toEqual(from.stat())
    expect(Buffer.compare(await bytesOf(exportCar(cid, local(to))), car)).toBe(0)
  })

  it('holds a repeated block once', async () => {
    const { car } = await carOf(new Uint8Array(30 * 1024 * 1024))
    expect(car.byteLength).toBeLessThan(1.1 * 1024 * 1024)
  })

  it('of version 2 is read too', async () => {
    const { cid, car } = await carOf(randomBytes(100_000))
    const pragma = Uint8Array.from([0x0a, 0xa1, 0x67, 0x76, 0x65, 0x72, 0x73, 0x69, 0x6f, 0x6e, 0x02])
    const fixed = new DataView(new ArrayBuffer(40))
    fixed.setBigUint64(16, 64n, true)
    fixed.setBigUint64(24, BigInt(car.byteLength), true)
    const file = Buffer.concat([pragma, new Uint8Array(fixed.buffer), new Uint8Array(13), car, Buffer.from('an index')])
    const read = await readCar(inChunks(file, 10_000))
    expect(read).toMatchObject({ version: 2 })
    expect(read.roots.map(String)).toEqual([cid.toString()])
    const sizes = await Array.fromAsync(read.blocks, ({ bytes }) => bytes.byteLength)
    expect(sizes).toEqual([100_000])
  })

  const garbage: [string, (car: Uint8Array) => Uint8Array, string][] = [
    ['nothing', () => new Uint8Array(), 'ERR_INVALID_CAR'],
    ['text', () => new TextEncoder().encode('<!doctype html><title>404</title>'.repeat(50)), 'ERR_INVALID_CAR'],
    ['a cut header', (car) => car.subarray(0, 20), 'ERR_INVALID_CAR'],
    ['a cut section', (car) => car.subarray(0, car.byteLength - 1), 'ERR_INVALID_CAR'],
    ['a header of 2^48 bytes', () => Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), 'ERR_INVALID_CAR'],
    ['a length of endless digits', () => new Uint8Array(100).fill(0xff), 'ERR_INVALID_CAR'],
    ['an empty section', (car) => Uint8Array.from([...car, 0]), 'ERR_INVALID_CAR'],
    ['a section without a CID', (car) => Uint8Array.from([...car, 3, 9, 9, 9]), 'ERR_INVALID_CAR'],
    ['a section of 1 GiB', (car) => Uint8Array.from([...car, 0x80, 0x80, 0x80, 0x80, 0x04, 1]), 'ERR_BLOCK_TOO_LARGE'],
    [
      'a changed byte',
      (car) => car.map((byte, at) => (at === car.byteLength - 1 ? byte ^ 1 : byte)),
      'ERR_BLOCK_HASH_MISMATCH',
    ],
  ]
  it.each(garbage)('of %s is refused with a code', async (_what, make, code) => {
    const { car } = await carOf(randomBytes(5_000))
    await expect(importCar(inChunks(make(car), 999), await store())).rejects.toMatchObject({ code })
  })

  it('with a block of over 2 MiB is refused', async () => {
    const bytes = new Uint8Array(2 * 1024 * 1024 + 1)
    const cid = CID.create(1, raw.code, await sha256.digest(bytes))
    const file = Buffer.concat([encodeHeader([cid]), encodeSectionHead(cid, bytes.byteLength), bytes])
    const to = await store()
    await expect(importCar(inChunks(file, 65_536), to)).rejects.toMatchObject({ code: 'ERR_BLOCK_TOO_LARGE' })
    expect(to.stat().blocks).toBe(0)
  })
})
