import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { PocketError } from '../../shared/errors.ts'
import type { BlockSource } from './block-source.ts'
import { orderedBlocks, type OrderedBlock, type Wanted } from './ordered-blocks.ts'
import { decodeUnixfs } from './unixfs.ts'
import { decodeNode, keyOf } from './walk.ts'

/** Bytes of a file, `from` included, `to` not. */
export interface FileRange {
  from: number
  to: number
}

export type FileBlock = OrderedBlock<Place>

/** Bytes of the file below a block, as the node above it says; `end` is open for the root. */
export interface Place {
  start: number
  end?: number
}

/**
 * The nodes and leaves of a UnixFS file that hold a range of its bytes, in order; with `once` not again where they repeat,
 * except at the edges of the range.
 * @throws ERR_INVALID_BLOCK, what the source throws
 */
export function fileBlocks(
  root: CID,
  { from, to }: FileRange,
  source: Pick<BlockSource, 'get'>,
  { once = false, ...options }: { signal?: AbortSignal; once?: boolean } = {},
): AsyncGenerator<FileBlock, void> {
  const seen = new Set<string>()
  const isNew = (cid: CID): boolean => !seen.has(keyOf(cid)) && seen.add(keyOf(cid)) !== undefined
  return orderedBlocks<Place>({ cid: root, at: { start: 0 } }, source, {
    ...options,
    below: ({ cid, at, bytes }) => {
      checkLength(cid, at, bytes)
      if (cid.code !== dagPb.code) return []
      const node = decodeNode(cid, bytes)
      const unixfs = decodeUnixfs(cid, node)
      const wanted: Wanted<Place>[] = []
      let start = at.start + (unixfs.data?.byteLength ?? 0)
      for (const [index, { Hash }] of node.Links.entries()) {
        const end = start + Number(unixfs.blockSizes[index] ?? 0)
        // What declares no bytes holds none: a billion links to it would be read for nothing.
        const within = start < to && end > Math.max(start, from)
        if (within && !(once && start >= from && end <= to && !isNew(Hash)))
          wanted.push({ cid: Hash, at: { start, end } })
        start = end
      }
      return wanted
    },
  })
}

/**
 * The bytes of a range of a file. What was read together comes together, in a chunk that fills its buffer where all of it
 * belongs to the range.
 */
export async function* fileBytes(
  root: CID,
  range: FileRange,
  source: Pick<BlockSource, 'get'>,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array, void> {
  let read: Uint8Array | undefined
  for await (const { cid, at, bytes } of fileBlocks(root, range, source, options)) {
    const own = cid.code === dagPb.code ? decodeUnixfs(cid, decodeNode(cid, bytes)).data : bytes
    if (own === undefined) continue
    const part = own.subarray(Math.max(0, range.from - at.start), Math.max(0, range.to - at.start))
    if (part.byteLength === 0) continue
    if (read !== undefined && follows(part, read)) {
      read = new Uint8Array(read.buffer, read.byteOffset, read.byteLength + part.byteLength)
    } else {
      if (read !== undefined) yield read
      read = part
    }
    // Nothing can follow: who waits for it need not wait for the next.
    if (read.byteOffset + read.byteLength === read.buffer.byteLength) {
      yield read
      read = undefined
    }
  }
  if (read !== undefined) yield read
}

function follows(part: Uint8Array, before: Uint8Array): boolean {
  return part.buffer === before.buffer && part.byteOffset === before.byteOffset + before.byteLength
}

/** A node that lies about the sizes below it would shift every byte behind it. */
function checkLength(cid: CID, { start, end }: Place, bytes: Uint8Array): void {
  if (end === undefined) return
  const length =
    cid.code === dagPb.code ? Number(decodeUnixfs(cid, decodeNode(cid, bytes)).fileSize()) : bytes.byteLength
  if (length !== end - start) {
    throw new PocketError('ERR_INVALID_BLOCK', 'A part of the file has another length than the file says', {
      detail: { cid: cid.toString() },
    })
  }
}
