/** Files larger than memory, for which a Buffer is no way. */
import { createCipheriv, createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { MiB } from './units.ts'

const PIECE_BYTES = 8 * MiB

/** Bytes that no chunker finds repeats in, the same for the same seed. Resolves with their SHA-256 in hex. */
export async function writeBigFile(path: string, bytes: number, seed: string): Promise<string> {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16)
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16))
  const hash = createHash('sha256')
  const zeros = Buffer.alloc(PIECE_BYTES)
  function* pieces(): Generator<Buffer> {
    for (let left = bytes; left > 0; left -= PIECE_BYTES) {
      const piece = cipher.update(left < PIECE_BYTES ? zeros.subarray(0, left) : zeros)
      hash.update(piece)
      yield piece
    }
  }
  await pipeline(Readable.from(pieces(), { objectMode: true, highWaterMark: 2 }), createWriteStream(path))
  return hash.digest('hex')
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: PIECE_BYTES })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** @throws when the disk that holds `folder` has not so many bytes free */
export async function needRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (free < bytes)
    throw new Error(`${Math.round(bytes / MiB)} MiB of disk are needed, ${Math.round(free / MiB)} are free`)
}
