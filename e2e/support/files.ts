/** Test content that can be made again from its seed, and what proves that it arrived whole. */
import { createCipheriv, createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Download } from '@playwright/test'

export interface RandomFile {
  name: string
  mimeType: string
  buffer: Buffer
  /** Lower-case hex. */
  sha256: string
}

/** Bytes that no chunker finds repeats in, the same for the same seed: an AES-CTR key stream. `size` in bytes. */
export function randomFile(size: number, seed: string, name = `${seed}.bin`): RandomFile {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16)
  const buffer = createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size))
  return { name, mimeType: 'application/octet-stream', buffer, sha256: sha256(buffer) }
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Waits for the download to end and reads it back from the disk. */
export async function sha256OfDownload(download: Download): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(await download.path())) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
