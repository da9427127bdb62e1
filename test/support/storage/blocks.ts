import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'

export interface TestBlock {
  cid: CID
  bytes: Uint8Array
}

/** A block of random bytes that no other test has. */
export async function randomBlock(size = 100): Promise<TestBlock> {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + 65_536)))
  return { cid: CID.createV1(raw.code, await sha256.digest(bytes)), bytes }
}

export function randomBlocks(count: number, size?: number): Promise<TestBlock[]> {
  return Promise.all(Array.from({ length: count }, () => randomBlock(size)))
}

/** What a store gives for a CID, its chunks put together. */
export async function readAll(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  for await (const chunk of chunks) parts.push(new Uint8Array(chunk))
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}
