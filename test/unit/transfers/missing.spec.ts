import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import { missingOf } from '../../../src/core/transfers/sources/missing.ts'
import type { Part } from '../../../src/core/transfers/sources/part.ts'

const MiB = 1024 * 1024
const store = new Map<string, Uint8Array>()
const source = {
  has: async (cid: CID) => store.has(cid.toString()),
  sizeOf: () => 0,
  getLocal: async (cid: CID) => store.get(cid.toString()) ?? new Uint8Array(),
}

async function leaf(name: string, present: boolean): Promise<CID> {
  const cid = CID.create(1, raw.code, await sha256.digest(new TextEncoder().encode(name)))
  if (present) store.set(cid.toString(), new Uint8Array())
  return cid
}

async function file(children: [cid: CID, size: bigint][]): Promise<CID> {
  const unixfs = new UnixFS({ type: 'file', blockSizes: children.map(([, size]) => size) })
  const bytes = dagPb.encode({
    Data: unixfs.marshal(),
    Links: children.map(([Hash]) => ({ Name: '', Hash, Tsize: 1 })),
  })
  const cid = CID.create(1, dagPb.code, await sha256.digest(bytes))
  store.set(cid.toString(), bytes)
  return cid
}

async function windows(root: CID): Promise<{ from: number; to: number }[]> {
  const parts: Part[] = []
  for await (const part of missingOf({ kind: 'dag', root, size: Infinity }, source)) parts.push(part)
  return parts.map((part) => {
    if (part.kind !== 'range') throw new Error(part.kind)
    return { from: part.from, to: part.to }
  })
}

describe('what is missing of a file', () => {
  it('is asked for in windows of 8 MiB around what is there', async () => {
    const present = new Set([0, 12])
    const leaves = await Promise.all(Array.from({ length: 20 }, (_, n) => leaf(`leaf ${n}`, present.has(n))))
    const root = await file(leaves.map((cid) => [cid, BigInt(MiB)]))
    expect(await windows(root)).toEqual([
      { from: MiB, to: 9 * MiB - 1 },
      { from: 9 * MiB, to: 12 * MiB - 1 },
      { from: 13 * MiB, to: 20 * MiB - 1 },
    ])
  })

  it('is found below nodes that are there, and cut below nodes that are not', async () => {
    const below = await file([
      [await leaf('a', true), BigInt(MiB)],
      [await leaf('b', false), BigInt(MiB)],
    ])
    const away = CID.create(1, dagPb.code, await sha256.digest(new Uint8Array([1])))
    const root = await file([
      [below, BigInt(2 * MiB)],
      [away, BigInt(20 * MiB)],
    ])
    expect(await windows(root)).toEqual([
      { from: MiB, to: 9 * MiB - 1 },
      { from: 9 * MiB, to: 17 * MiB - 1 },
      { from: 17 * MiB, to: 22 * MiB - 1 },
    ])
  })

  it('is bounded where a node lies about sizes', async () => {
    const root = await file([[await leaf('huge', false), 2n ** 50n]])
    expect((await windows(root)).length).toBe(65_536)
  })
})
