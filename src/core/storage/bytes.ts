import type { InputPair } from 'interface-blockstore'
import { PocketError } from '../../shared/errors.ts'

/**
 * The bytes of a block in a buffer of their own and of their exact length: IndexedDB clones the whole buffer behind a
 * view (a 256 KiB view of a 1 MiB read stored four times its bytes), and the caller's buffer may be transferred or
 * overwritten before the transaction reads it.
 * @throws ERR_BLOCK_TOO_LARGE without reading on
 */
export async function toBytes(block: InputPair['bytes'], limit: number): Promise<Uint8Array> {
  if (block instanceof Uint8Array) return concat([block], check(block.byteLength, limit))
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of block) {
    size = check(size + chunk.byteLength, limit)
    chunks.push(chunk)
  }
  return concat(chunks, size)
}

function check(size: number, limit: number): number {
  if (size > limit) throw new PocketError('ERR_BLOCK_TOO_LARGE', undefined, { detail: { limit } })
  return size
}

/** `chunks` in a buffer of their own, of `size` bytes, which is what they come to. */
export function concat(chunks: Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}
