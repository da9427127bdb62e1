import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import type { ImporterOptions } from 'ipfs-unixfs-importer'
import type { FilePart, StoredFile } from '../storage/index.ts'
import { readBlob } from './sources.ts'

export interface StoredLeaves {
  /** The file's bytes, for the importer. Hashing is under way by the time they come. */
  content: AsyncGenerator<Uint8Array, void>
  /** Gives the importer the CIDs of the leaves without storing them: they are parts of the file. */
  bufferImporter: NonNullable<ImporterOptions['bufferImporter']>
  /** Where the leaves are, when the import is done. */
  parts: FilePart[]
}

/** The leaves of a File that is kept whole: hashed several at once, stored as references (ADR 3). */
export function storedLeaves(stored: StoredFile): StoredLeaves {
  const parts: FilePart[] = []
  const hashes = new WeakMap<Uint8Array, Promise<CID>>()
  const hash = (chunk: Uint8Array): Promise<CID> => {
    const known = hashes.get(chunk)
    if (known !== undefined) return known
    const cid = (async () => CID.createV1(raw.code, await sha256.digest(chunk)))()
    // Awaited by the importer: a failure before that must not count as unhandled.
    cid.catch(() => undefined)
    hashes.set(chunk, cid)
    return cid
  }
  return {
    parts,
    content: readBlob(stored.blob, (chunk) => void hash(chunk)),
    async *bufferImporter(file) {
      let offset = 0
      for await (const chunk of file.content) {
        const part = { offset, length: chunk.byteLength }
        offset += chunk.byteLength
        yield async () => {
          const cid = await hash(chunk)
          parts.push({ cid, ...part })
          return { cid, size: BigInt(chunk.byteLength), block: chunk }
        }
      }
    },
  }
}
