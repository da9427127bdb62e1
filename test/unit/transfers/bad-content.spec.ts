import * as dagPb from '@ipld/dag-pb'
import type { Libp2p } from '@libp2p/interface'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { identity } from 'multiformats/hashes/identity'
import { sha256 } from 'multiformats/hashes/sha2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeHeader, encodeSectionHead } from '../../../src/core/car/encode.ts'
import { CAR_TYPE } from '../../../src/core/gateway/request.ts'
import { blocksFor } from '../../../src/core/gateway/blocks-for.ts'
import { createReader } from '../../../src/core/content/read.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { createHost, createStore, fetchInto, type Store } from '../../support/node/fetching.ts'
import { startGateway } from '../../support/node/gateway.ts'

let from: Store
let client: Libp2p & AsyncDisposable

beforeAll(async () => {
  from = await createStore()
  client = await createHost()
})
afterAll(async () => client.stop())

interface Child {
  cid: CID
  size: number
}

async function put(code: number, bytes: Uint8Array): Promise<CID> {
  const cid = CID.createV1(code, await sha256.digest(bytes))
  await from.blocks.put(cid, bytes)
  return cid
}

async function file(children: Child[]): Promise<CID> {
  const Data = new UnixFS({ type: 'file', blockSizes: children.map(({ size }) => BigInt(size)) }).marshal()
  return put(
    dagPb.code,
    dagPb.encode({ Data, Links: children.map(({ cid, size }) => ({ Name: '', Hash: cid, Tsize: size })) }),
  )
}

async function folder(
  children: Record<string, Child> | [string, Child][],
  type: 'directory' | 'hamt-sharded-directory' = 'directory',
): Promise<CID> {
  const unixfs = new UnixFS({ type, ...(type === 'directory' ? {} : { fanout: 256n, hashType: 0x22n }) })
  const entries = Array.isArray(children) ? children : Object.entries(children)
  const Links = entries.map(([Name, { cid, size }]) => ({ Name, Hash: cid, Tsize: size }))
  return put(dagPb.code, dagPb.encode({ Data: unixfs.marshal(), Links }))
}

async function bring(root: CID): Promise<Store> {
  await using gateway = await startGateway(from.source)
  const to = await createStore()
  await fetchInto(root, { to, libp2p: client, from: [gateway.url] })
  return to
}

/** A file that links 5,000 times to one child, twice over: 25 million leaves in three blocks. */
async function bomb(leafBytes: number): Promise<{ root: CID; size: number }> {
  const links = 5_000
  const leaf = { cid: await put(raw.code, new Uint8Array(leafBytes)), size: leafBytes }
  const middle = { cid: await file(Array<Child>(links).fill(leaf)), size: links * leafBytes }
  return { root: await file(Array<Child>(links).fill(middle)), size: links * middle.size }
}

describe('a file of millions of links to one child', () => {
  it('is three blocks to fetch, to describe and to send', async () => {
    const { root, size } = await bomb(1)
    const to = await bring(root)
    expect(to.blocks.stat().blocks).toBe(3)
    const stat = await createReader(to.source).stat(root.toString())
    expect(stat).toMatchObject({ size, local: { complete: true } })
    const sent: CID[] = []
    const range = { from: 0, to: size - 1 }
    for await (const { cid } of blocksFor(
      { kind: 'car', cid: root, scope: 'entity', range },
      { get: (cid) => to.source.getLocal(cid) },
      {},
    )) {
      sent.push(cid)
      if (sent.length > 10) break
    }
    expect(sent.length).toBe(3)
  }, 20_000)

  it('is read as far as the reader goes', async () => {
    const { root } = await bomb(1)
    const reader = createReader(from.source).cat(root.toString(), { offset: 7_000, length: 3 })
    expect(new Uint8Array(await new Response(reader as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer())).toEqual(
      new Uint8Array(3),
    )
  })

  it('without a byte in them ends at once', async () => {
    const { root } = await bomb(0)
    const stream = createReader(from.source).cat(root.toString())
    expect((await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer()).byteLength).toBe(0)
    expect((await bring(root)).blocks.stat().blocks).toBe(3)
  }, 20_000)
})

it('a file of nodes that keep a reader waiting with thirty thousand links each is refused when it is read', async () => {
  const leaf = { cid: await put(raw.code, new Uint8Array([1])), size: 1 }
  let child: Child = leaf
  for (let n = 0; n < 10; n++) {
    child = { cid: await file([child, ...Array<Child>(30_000).fill(leaf)]), size: child.size + 30_000 }
  }
  const stream = createReader(from.source).cat(child.cid.toString())
  await expect(new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer()).rejects.toMatchObject({
    code: 'ERR_LIMIT_EXCEEDED',
  })
}, 30_000)

it('a sharded folder that contains itself over and over ends with a code', async () => {
  const places = Array.from({ length: 256 }, (_, n) => n.toString(16).toUpperCase().padStart(2, '0'))
  const leaf = { cid: await put(raw.code, new Uint8Array([2])), size: 1 }
  const shard = (child: Child, name: (place: string) => string): Promise<CID> =>
    folder(
      places.map((place): [string, Child] => [name(place), child]),
      'hamt-sharded-directory',
    )
  let child: Child = { cid: await shard(leaf, (place) => `${place}x`), size: 1 }
  for (let n = 0; n < 8; n++) child = { cid: await shard(child, (place) => place), size: 1 }
  const list = async (): Promise<void> => {
    let count = 0
    for await (const entry of createReader(from.source).ls(child.cid.toString())) {
      if (entry.type !== 'file') return
      if (++count > LIMITS.maxListedEntries) return
    }
  }
  await expect(list()).rejects.toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
}, 60_000)

it('blocks inlined one in another, a thousand deep, are refused', async () => {
  let inner: CID = CID.createV1(raw.code, identity.digest(new Uint8Array([1])))
  for (let n = 0; n < 1000; n++) {
    inner = CID.createV1(dagPb.code, identity.digest(dagPb.encode({ Links: [{ Name: '', Hash: inner, Tsize: 1 }] })))
  }
  const root = await folder({ deep: { cid: inner, size: 1 } })
  await expect(bring(root)).rejects.toMatchObject({ code: 'ERR_INVALID_BLOCK' })
})

it('a small inlined block is part of what is fetched', async () => {
  const leaf = CID.createV1(raw.code, identity.digest(new Uint8Array([1, 2, 3])))
  const beside = await put(raw.code, new Uint8Array([9]))
  const to = await bring(await folder({ in: { cid: leaf, size: 3 }, out: { cid: beside, size: 1 } }))
  expect(await to.blocks.has(beside)).toBe(true)
})

it('a codec that this node does not read is refused', async () => {
  const odd = CID.createV1(0x71, await sha256.digest(new Uint8Array([0xa0])))
  await expect(bring(await folder({ odd: { cid: odd, size: 1 } }))).rejects.toMatchObject({
    code: 'ERR_UNSUPPORTED_CODEC',
  })
})

it('a node that does not decode is refused, whoever sends it', async () => {
  const bad = await put(dagPb.code, new TextEncoder().encode('this is not protobuf'))
  await expect(bring(await folder({ bad: { cid: bad, size: 1 } }))).rejects.toMatchObject({ code: 'ERR_INVALID_BLOCK' })
})

it('a node that links to itself by a false CID is refused', async () => {
  const claimed = CID.createV1(dagPb.code, await sha256.digest(new Uint8Array([7])))
  const bytes = dagPb.encode({ Links: [{ Name: '', Hash: claimed, Tsize: 1 }] })
  await using gateway = await startGateway(from.source, (_request, response) => {
    response.writeHead(200, { 'content-type': CAR_TYPE })
    response.write(encodeHeader([claimed]))
    response.write(encodeSectionHead(claimed, bytes.byteLength))
    response.end(bytes)
  })
  const to = await createStore()
  const fetching = fetchInto(claimed, { to, libp2p: client, from: [gateway.url], patienceMs: 1500 })
  await expect(fetching).rejects.toMatchObject({ code: 'ERR_BLOCK_HASH_MISMATCH' })
  expect(to.blocks.stat().blocks).toBe(0)
})

it('a file whose node lies about the sizes below it still comes whole', async () => {
  const leaf = { cid: await put(raw.code, new Uint8Array(1000).fill(5)), size: 10 }
  const to = await bring(await file([leaf, { cid: await put(raw.code, new Uint8Array(9)), size: 4 * 1024 ** 2 }]))
  expect(to.blocks.stat().blocks).toBe(3)
})
