import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import * as raw from 'multiformats/codecs/raw'
import { describe, expect, it } from 'vitest'
import { encodeHeader } from '../../../src/core/car/encode.ts'
import {
  car,
  carV2,
  expectNothing,
  folder,
  identity,
  join,
  leaf,
  node,
  streamOf,
  text,
} from '../../support/node/cars.ts'
import { readAll, startNode } from '../../support/node/node.ts'

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
