import * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import type { PocketBlockstore } from '../../../src/core/storage/index.ts'
import { randomBlocks, type TestBlock } from './blocks.ts'

export interface TestDag {
  root: CID
  /** Nodes and leaves. */
  blocks: TestBlock[]
}

/** A node that links to `below`. */
export async function nodeOf(below: CID[], name = ''): Promise<TestBlock> {
  const bytes = dagPb.encode({ Data: new TextEncoder().encode(name), Links: below.map((Hash) => ({ Hash, Tsize: 1 })) })
  return { cid: CID.createV1(dagPb.code, await sha256.digest(bytes)), bytes }
}

/** Leaves below two nodes below a root, the leaves given or random. */
export async function makeDag(leaves: TestBlock[] | number = 6): Promise<TestDag> {
  const all = typeof leaves === 'number' ? await randomBlocks(leaves) : leaves
  const half = Math.ceil(all.length / 2)
  const left = await nodeOf(all.slice(0, half).map(({ cid }) => cid), 'left') // prettier-ignore
  const right = await nodeOf(all.slice(half).map(({ cid }) => cid), 'right') // prettier-ignore
  const root = await nodeOf([left.cid, right.cid], crypto.randomUUID())
  return { root: root.cid, blocks: [root, left, right, ...all] }
}

export async function putAll(store: Pick<PocketBlockstore, 'put'>, blocks: TestBlock[]): Promise<void> {
  await Promise.all(blocks.map(({ cid, bytes }) => store.put(cid, bytes)))
}

/** How many of the blocks are there. Not a use of any. */
export function held(store: Pick<PocketBlockstore, 'sizeOf'>, blocks: TestBlock[]): number {
  return blocks.filter(({ cid }) => store.sizeOf(cid) !== undefined).length
}
