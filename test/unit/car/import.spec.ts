import * as dagPb from '@ipld/dag-pb'
import { encode as encodeCbor } from '@ipld/dag-cbor'
import { UnixFS } from 'ipfs-unixfs'
import { varint } from 'multiformats'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import { encodeHeader, encodeSectionHead } from '../../../src/core/car/encode.ts'
import type { NodeService } from '../../../src/contract/node-api.ts'
import { randomBytes, readAll, startNode } from '../../support/node/node.ts'

interface Block {
  cid: CID
  bytes: Uint8Array
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const leaf = async (bytes: Uint8Array): Promise<Block> => ({
  cid: CID.createV1(raw.code, await sha256.digest(bytes)),
  bytes,
})

async function node(type: 'file' | 'directory', links: { name: string; cid: CID; size?: number }[]): Promise<Block> {
  const unixfs = new UnixFS({ type })
  if (type === 'file') for (const { size = 0 } of links) unixfs.addBlockSize(BigInt(size))
  const Links = links.map(({ name, cid, size = 0 }) => ({ Name: name, Hash: cid, Tsize: size }))
  return ofNode(dagPb.encode(dagPb.prepare({ Data: unixfs.marshal(), Links })))
}

async function ofNode(bytes: Uint8Array): Promise<Block> {
  return { bytes, cid: CID.createV1(dagPb.code, await sha256.digest(bytes)) }
}

const identity = (code: number, bytes: Uint8Array): CID => CID.createV1(code, Digest.create(0, bytes))

function join(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts))
}

const section = ({ cid, bytes }: Block): Uint8Array => join([encodeSectionHead(cid, bytes.byteLength), bytes])
const car = (roots: CID[], blocks: Block[]): Uint8Array<ArrayBuffer> =>
  join([encodeHeader(roots), ...blocks.map(section)])

function prefixed(bytes: Uint8Array): Uint8Array {
  return join([varint.encodeTo(bytes.byteLength, new Uint8Array(varint.encodingLength(bytes.byteLength))), bytes])
}

/** Version 2 around a version 1, with an index behind it that nobody reads. */
function carV2(inner: Uint8Array, size = inner.byteLength, padding = 9): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(40)
  const view = new DataView(header.buffer)
  view.setBigUint64(16, BigInt(51 + padding), true)
  view.setBigUint64(24, BigInt(size), true)
  const pragma = prefixed(encodeCbor({ version: 2 }))
  return join([pragma, header, new Uint8Array(padding), inner, randomBytes(100)])
}

function streamOf(bytes: Uint8Array, step = 1000): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close()
      else controller.enqueue(bytes.slice(at, (at += step)))
    },
  })
}

/** A folder of one file of two leaves, and a block that belongs to nothing. */
async function folder() {
  const [one, two, foreign] = await Promise.all([
    leaf(randomBytes(3000, 1)),
    leaf(randomBytes(999, 2)),
    leaf(text('!')),
  ])
  const file = await node('file', [
    { name: '', cid: one.cid, size: 3000 },
    { name: '', cid: two.cid, size: 999 },
  ])
  const root = await node('directory', [{ name: 'film.mp4', cid: file.cid, size: 4100 }])
  return { one, two, foreign, file, root, all: [root, file, one, two], content: join([one.bytes, two.bytes]) }
}

async function expectNothing(host: NodeService): Promise<void> {
  expect((await host.status()).storage.blocks).toBe(0)
  expect(await Array.fromAsync(host.pin.ls())).toEqual([])
}

describe('importing a CAR', () => {
  it.each<[string, (bytes: Uint8Array<ArrayBuffer>) => Blob | Uint8Array | ReadableStream<Uint8Array>]>([
    ['a File', (bytes) => new File([bytes], 'holiday.car')],
    ['bytes', (bytes) => bytes],
    ['a stream', (bytes) => streamOf(bytes)],
    ['a stream of version 2', (bytes) => streamOf(carV2(bytes), 7)],
  ])('stores and pins what it holds: %s', async (_what, pack) => {
    await using host = await startNode()
    const { root, all, content } = await folder()
    const progress: number[] = []
    const result = await host.car.import(pack(car([root.cid], all)), {
      onProgress: ({ blocks }) => progress.push(blocks),
    })
    const bytes = all.reduce((sum, block) => sum + block.bytes.byteLength, 0)
    expect(result).toEqual({ roots: [root.cid.toString()], incomplete: [], blocks: 4, bytes, dropped: 0 })
    expect(progress).toEqual([1, 2, 3, 4])
    expect(Buffer.compare(await readAll(host.cat(`${root.cid.toString()}/film.mp4`)), content)).toBe(0)
    expect(await Array.fromAsync(host.pin.ls())).toMatchObject([{ cid: root.cid.toString(), type: 'directory' }])
    expect((await host.repo.gc()).blocks).toBe(0)
  })

  it('names a root after its File, and keeps the name that it has', async () => {
    await using host = await startNode()
    const { root, all, one } = await folder()
    await host.car.import(new File([car([root.cid], all)], 'Holiday.CAR'))
    await host.car.import(car([one.cid], [one]), { name: 'one' })
    await host.car.import(car([root.cid], all), { name: 'another' })
    const names = (await Array.fromAsync(host.pin.ls())).map(({ name }) => name)
    expect(names.toSorted()).toEqual(['Holiday', 'one'])
  })

  it('drops blocks that no root leads to, not those that something else needs', async () => {
    await using host = await startNode()
    const { root, all, foreign } = await folder()
    const kept = await leaf(text('kept by another pin'))
    await host.add(kept.bytes)
    const result = await host.car.import(car([root.cid], [foreign, ...all, kept]))
    expect(result).toMatchObject({ incomplete: [], blocks: 6, dropped: 2 })
    expect((await host.repo.stat()).blocks).toBe(5)
    expect(await readAll(host.cat(kept.cid.toString()))).toEqual(kept.bytes)
  })

  it('reports a root that is incomplete, pins the others, and keeps its parts until space is needed', async () => {
    await using host = await startNode()
    const { root, file, one, two, foreign } = await folder()
    const result = await host.car.import(car([root.cid, foreign.cid], [root, file, one, foreign]))
    expect(result).toMatchObject({ incomplete: [root.cid.toString()], blocks: 4, dropped: 0 })
    expect((await Array.fromAsync(host.pin.ls())).map(({ cid }) => cid)).toEqual([foreign.cid.toString()])
    expect((await host.repo.stat()).blocks).toBe(4)
    // The rest makes it complete: the store counts as well as the CAR.
    expect(await host.car.import(car([root.cid], [two]))).toMatchObject({ incomplete: [], blocks: 1, dropped: 0 })
    expect((await host.repo.gc()).blocks).toBe(0)
  })

  it('refuses identity CIDs that hold a thousand others, and keeps nothing', async () => {
    await using host = await startNode()
    let cid = identity(raw.code, text('within'))
    for (let depth = 0; depth < 1000; depth++) {
      const unixfs = new UnixFS({ type: 'directory' })
      cid = identity(
        dagPb.code,
        dagPb.encode(dagPb.prepare({ Data: unixfs.marshal(), Links: [{ Name: 'a', Hash: cid, Tsize: 0 }] })),
      )
      // As deep as a block can be.
      if (cid.bytes.byteLength > 30_000) break
    }
    const root = await node('directory', [{ name: 'a', cid }])
    const importing = host.car.import(car([root.cid], [root, { cid, bytes: cid.multihash.digest }]))
    await expect(importing).rejects.toMatchObject({ code: 'ERR_INVALID_BLOCK' })
    expect((await host.repo.stat()).blocks).toBe(0)
  })

  it('takes a short identity CID without storing it', async () => {
    await using host = await startNode()
    const cid = identity(raw.code, text('within'))
    const root = await node('directory', [{ name: 'a', cid }])
    expect(await host.car.import(car([root.cid], [root]))).toMatchObject({ incomplete: [], dropped: 0 })
    expect((await host.repo.stat()).blocks).toBe(1)
  })

  it('visits a child that is linked thirty thousand times once', async () => {
    await using host = await startNode()
    const { one } = await folder()
    const bomb = await node(
      'file',
      Array.from({ length: 30_000 }, () => ({ name: '', cid: one.cid, size: 3000 })),
    )
    const twice = await node('directory', [
      { name: 'a', cid: bomb.cid },
      { name: 'b', cid: bomb.cid },
    ])
    expect(await host.car.import(car([twice.cid], [twice, bomb, one, one, one]))).toMatchObject({ incomplete: [] })
    expect((await host.repo.stat()).blocks).toBe(3)
  })

  it.each<[string, string, () => Promise<Uint8Array<ArrayBuffer>>]>([
    ['nothing', 'ERR_INVALID_CAR', async () => new Uint8Array()],
    ['garbage', 'ERR_INVALID_CAR', async () => randomBytes(100_000)],
    ['a varint that never ends', 'ERR_INVALID_CAR', async () => new Uint8Array(1000).fill(0x80)],
    ['a header that is no CBOR', 'ERR_INVALID_CAR', async () => join([prefixed(new Uint8Array(50).fill(0xff))])],
    ['a header of a million roots', 'ERR_INVALID_CAR', async () => millionRoots()],
    ['no roots', 'ERR_INVALID_CAR', async () => car([], (await folder()).all)],
    ['a later version', 'ERR_INVALID_CAR', async () => join([prefixed(encodeCbor({ version: 3, roots: [] }))])],
    [
      'an end in the middle of a block',
      'ERR_INVALID_CAR',
      async () => {
        const { root, all } = await folder()
        return car([root.cid], all).slice(0, -7)
      },
    ],
    [
      'a varint within blocks that never ends',
      'ERR_INVALID_CAR',
      async () => {
        const { root, all } = await folder()
        return join([car([root.cid], all), new Uint8Array(20).fill(0xff)])
      },
    ],
    [
      'a section larger than any block',
      'ERR_BLOCK_TOO_LARGE',
      async () => {
        const { root, all, one } = await folder()
        return join([car([root.cid], all), encodeSectionHead(one.cid, 2 ** 40)])
      },
    ],
    [
      'a block of wrong bytes',
      'ERR_BLOCK_HASH_MISMATCH',
      async () => {
        const { root, all, one } = await folder()
        return car([root.cid], [...all, { cid: one.cid, bytes: text('other bytes') }])
      },
    ],
    [
      'an identity CID of other bytes',
      'ERR_BLOCK_HASH_MISMATCH',
      async () => {
        const { root, all } = await folder()
        return car([root.cid], [...all, { cid: identity(raw.code, text('a')), bytes: text('b') }])
      },
    ],
    [
      'a codec that is not read',
      'ERR_UNSUPPORTED_CODEC',
      async () => {
        const { root, all } = await folder()
        const bytes = encodeCbor({ a: 1 })
        return car([root.cid], [...all, { cid: CID.createV1(0x71, await sha256.digest(bytes)), bytes }])
      },
    ],
    [
      'a hash that is not known',
      'ERR_UNSUPPORTED_CODEC',
      async () => {
        const { root, all } = await folder()
        const bytes = text('hashed somehow')
        return car([root.cid], [...all, { cid: CID.createV1(raw.code, Digest.create(0x9999, bytes)), bytes }])
      },
    ],
    [
      'a node that is none',
      'ERR_INVALID_BLOCK',
      async () => {
        const bad = await ofNode(new Uint8Array(40).fill(0xff))
        return car([bad.cid], [bad])
      },
    ],
    [
      'a node without UnixFS',
      'ERR_INVALID_BLOCK',
      async () => {
        const bad = await ofNode(dagPb.encode({ Links: [] }))
        return car([bad.cid], [bad])
      },
    ],
    ['version 2 cut before its end', 'ERR_INVALID_CAR', async () => cutVersion2()],
    [
      'version 2 that ends within a section',
      'ERR_INVALID_CAR',
      async () => {
        const { root, all } = await folder()
        const inner = car([root.cid], all)
        return carV2(inner, inner.byteLength - 5)
      },
    ],
    ...['..', '.', '', 'a/b', '../../etc/passwd', 'a\0b', '..\\b'].map(
      (name): [string, string, () => Promise<Uint8Array<ArrayBuffer>>] => [
        `a folder with the name ${JSON.stringify(name)}`,
        'ERR_INVALID_NAME',
        async () => {
          const { one } = await folder()
          const root = await node('directory', [{ name, cid: one.cid, size: 3000 }])
          return car([root.cid], [root, one])
        },
      ],
    ),
  ])('refuses %s, and nothing of it stays', async (_what, code, make) => {
    await using host = await startNode()
    const bytes = await make()
    await expect(host.car.import(bytes)).rejects.toMatchObject({ code })
    await expectNothing(host)
    await expect(host.car.import(streamOf(bytes))).rejects.toMatchObject({ code })
    await expectNothing(host)
  })

  it('stops when it is cancelled, also while the source gives nothing, and nothing of it stays', async () => {
    await using host = await startNode()
    const { root, all } = await folder()
    const abort = new AbortController()
    let cancelled = false
    const endless = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(car([root.cid], all)),
      cancel: () => void (cancelled = true),
    })
    const importing = host.car.import(endless, {
      signal: abort.signal,
      onProgress: ({ blocks }) => blocks === 4 && abort.abort(),
    })
    await expect(importing).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(cancelled).toBe(true)
    await expectNothing(host)
  })

  it('reads no more of a source than it has room for', async () => {
    await using host = await startNode()
    const { root } = await folder()
    let given = 0
    const head = join([encodeHeader([root.cid])])
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        // A length that no block has: the rest is not asked for.
        controller.enqueue(given === 0 ? head : new Uint8Array(64 * 1024).fill(0xff))
        given++
      },
    })
    await expect(host.car.import(endless)).rejects.toMatchObject({ code: 'ERR_INVALID_CAR' })
    expect(given).toBeLessThan(5)
  })
})

describe('exporting a CAR', () => {
  it('gives what another node imports, below a path too', async () => {
    await using host = await startNode()
    await using other = await startNode()
    const { cid } = await host.add([
      { path: 'a/b/film', content: randomBytes(3_000_000) },
      { path: 'a/b/empty', content: new Uint8Array() },
      { path: 'a/c', content: text('c') },
    ])
    const result = await other.car.import(host.car.export(cid))
    expect(result).toMatchObject({ roots: [cid], incomplete: [], dropped: 0 })
    expect((await readAll(other.cat(`${cid}/b/film`))).length).toBe(3_000_000)
    const below = await other.car.import(host.car.export(`/ipfs/${cid}/b`))
    expect(below).toMatchObject({ incomplete: [], dropped: 0 })
    expect(below.roots).not.toEqual([cid])
  })

  it('reads no further than it is taken, and stops when it is cancelled', async () => {
    await using host = await startNode()
    const { cid } = await host.add(new File([randomBytes(40_000_000)], 'a'))
    const reader = host.car.export(cid).getReader()
    expect((await reader.read()).value?.byteLength).toBeLessThan(200)
    await reader.cancel()
    const stop = new AbortController()
    const second = host.car.export(cid, { signal: stop.signal }).getReader()
    await second.read()
    stop.abort()
    await expect(async () => {
      for (;;) if ((await second.read()).done) return
    }).rejects.toThrow()
  })

  it('fails for a path that is none', async () => {
    await using host = await startNode()
    await expect(readAll(host.car.export('nonsense'))).rejects.toMatchObject({ code: 'ERR_INVALID_CID' })
  })
})

async function cutVersion2(): Promise<Uint8Array<ArrayBuffer>> {
  const { root, all, two } = await folder()
  const whole = carV2(car([root.cid], all))
  // Exactly one section too little: only the size in the header tells.
  return whole.slice(0, whole.byteLength - 100 - section(two).byteLength)
}

async function millionRoots(): Promise<Uint8Array<ArrayBuffer>> {
  const { one } = await folder()
  const one41 = encodeCbor(one.cid)
  const roots = new Uint8Array(one41.byteLength * 1_000_000)
  for (let at = 0; at < roots.length; at += one41.byteLength) roots.set(one41, at)
  const head = join([
    Uint8Array.of(0xa2, 0x65, ...text('roots'), 0x9a, 0x00, 0x0f, 0x42, 0x40),
    roots,
    Uint8Array.of(0x67, ...text('version'), 1),
  ])
  return join([prefixed(head)])
}
