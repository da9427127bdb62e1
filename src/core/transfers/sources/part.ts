import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { checkCid, inlinedBytes } from '../../content/cids.ts'
import { decodeUnixfs } from '../../content/unixfs.ts'
import { decodeNode } from '../../content/walk.ts'

/** A piece of a DAG that one source brings in one go. */
export type Part =
  /** One block. */
  | { kind: 'block'; root: CID }
  /** A block and all below it; `size` is what the link to it declares, not checked. */
  | { kind: 'dag'; root: CID; size: number }
  /** Bytes of a file, both included, with the nodes above them. A `root` that is no file means its own block. */
  | { kind: 'range'; root: CID; from: number; to: number }
  /** Children of a node, the first and the last by their place, whole, with the node itself. */
  | { kind: 'links'; root: CID; from: number; to: number; size: number }

/** A block of a part, and where the bytes below it begin when the part is a range. */
export interface Place {
  cid: CID
  start: number
}

/** Bytes that a part is expected to have: a guess where a maker of nodes said so. */
export function sizeOfPart(part: Part): number {
  if (part.kind === 'block') return 0
  return part.kind === 'range' ? part.to + 1 - part.from : part.size
}

/**
 * Which blocks of a part are linked from one that is there. Inlined ones are passed over, what they link to is not.
 * @throws PocketError ERR_INVALID_BLOCK, ERR_UNSUPPORTED_CODEC
 */
export function linksWithin(part: Part, { cid, start }: Place, bytes: Uint8Array): Place[] {
  if (part.kind === 'block' || cid.code !== dagPb.code) return []
  return direct(part, { cid, start }, bytes).flatMap((place) => {
    checkCid(place.cid)
    const inlined = inlinedBytes(place.cid)
    return inlined === undefined ? [place] : linksWithin(part, place, inlined)
  })
}

function direct(part: Part, { cid, start }: Place, bytes: Uint8Array): Place[] {
  const node = decodeNode(cid, bytes)
  const anywhere = ({ Hash }: dagPb.PBLink): Place => ({ cid: Hash, start: 0 })
  if (part.kind === 'links' && cid.equals(part.root)) return node.Links.slice(part.from, part.to + 1).map(anywhere)
  if (part.kind !== 'range') return node.Links.map(anywhere)
  const unixfs = decodeUnixfs(cid, node)
  // As an entity a large folder is all its shards.
  if (unixfs.isDirectory()) return unixfs.type === 'hamt-sharded-directory' ? node.Links.map(anywhere) : []
  const places: Place[] = []
  let at = start + (unixfs.data?.byteLength ?? 0)
  for (const [index, { Hash }] of node.Links.entries()) {
    const end = at + Number(unixfs.blockSizes[index] ?? 0)
    if (at <= part.to && end > Math.max(at, part.from)) places.push({ cid: Hash, start: at })
    at = end
  }
  return places
}

/** A DAG of which nothing is known. */
export const whole = (root: CID): Part => ({ kind: 'dag', root, size: Number.MAX_SAFE_INTEGER })

/** Bytes of a file, of which ranges can be asked for; undefined for what is none. As its root says, not checked. */
export function fileSizeOf(root: CID, bytes: Uint8Array): number | undefined {
  if (root.code !== dagPb.code) return bytes.byteLength
  try {
    const unixfs = decodeUnixfs(root, decodeNode(root, bytes))
    return unixfs.isDirectory() ? undefined : Number(unixfs.fileSize())
  } catch {
    // What it is, its plan will say.
    return undefined
  }
}
