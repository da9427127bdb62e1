import * as dagPb from '@ipld/dag-pb'
import { encode as encodeCbor } from '@ipld/dag-cbor'
import { UnixFS } from 'ipfs-unixfs'
import { varint } from 'multiformats'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { sha256 } from 'multiformats/hashes/sha2'
import { expect } from 'vitest'
import type { NodeService } from '../../../src/contract/node-api.ts'
import { encodeHeader, encodeSectionHead } from '../../../src/core/car/encode.ts'
import { randomBytes } from './node.ts'

export interface Block {
  cid: CID
  bytes: Uint8Array
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)

export const leaf = async (bytes: Uint8Array): Promise<Block> => ({
  cid: CID.createV1(raw.code, await sha256.digest(bytes)),
  bytes,
})

export async function node(
  type: 'file' | 'directory',
  links: { name: string; cid: CID; size?: number }[],
): Promise<Block> {
  const unixfs = new UnixFS({ type })
  if (type === 'file') for (const { size = 0 } of links) unixfs.addBlockSize(BigInt(size))
  const Links = links.map(({ name, cid, size = 0 }) => ({ Name: name, Hash: cid, Tsize: size }))
  return ofNode(dagPb.encode(dagPb.prepare({ Data: unixfs.marshal(), Links })))
}

export async function ofNode(bytes: Uint8Array): Promise<Block> {
  return { bytes, cid: CID.createV1(dagPb.code, await sha256.digest(bytes)) }
}

export const identity = (code: number, bytes: Uint8Array): CID => CID.createV1(code, Digest.create(0, bytes))

export function join(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts))
}

export const section = ({ cid, bytes }: Block): Uint8Array => join([encodeSectionHead(cid, bytes.byteLength), bytes])
export const car = (roots: CID[], blocks: Block[]): Uint8Array<ArrayBuffer> =>
  join([encodeHeader(roots), ...blocks.map(section)])

export function prefixed(bytes: Uint8Array): Uint8Array {
  return join([varint.encodeTo(bytes.byteLength, new Uint8Array(varint.encodingLength(bytes.byteLength))), bytes])
}

/** Version 2 around a version 1, with an index behind it that nobody reads. */
export function carV2(inner: Uint8Array, size = inner.byteLength, padding = 9): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(40)
  const view = new DataView(header.buffer)
  view.setBigUint64(16, BigInt(51 + padding), true)
  view.setBigUint64(24, BigInt(size), true)
  const pragma = prefixed(encodeCbor({ version: 2 }))
  return join([pragma, header, new Uint8Array(padding), inner, randomBytes(100)])
}

export function streamOf(bytes: Uint8Array, step = 1000): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close()
      else controller.enqueue(bytes.slice(at, (at += step)))
    },
  })
}

/** A folder of one file of two leaves, and a block that belongs to nothing. */
export async function folder() {
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

/** Nothing of an import is left. */
export async function expectNothing(host: NodeService): Promise<void> {
  expect((await host.status()).storage.blocks).toBe(0)
  expect(await Array.fromAsync(host.pin.ls())).toEqual([])
}
