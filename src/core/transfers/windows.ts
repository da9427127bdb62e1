import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockSource } from '../content/block-source.ts'
import { decodeNode } from '../content/walk.ts'

/** Bytes of a file, both included. */
export interface Window {
  from: number
  to: number
}

/**
 * The parts of a file of which blocks are missing, each of at most LIMITS.carWindowBytes (or one block); undefined for
 * what is no file.
 * @throws ERR_INVALID_BLOCK
 */
export async function missingWindows(
  root: CID,
  source: Pick<BlockSource, 'has' | 'getLocal'>,
): Promise<Window[] | undefined> {
  if (isDirectory(decodeNode(root, await source.getLocal(root)))) return undefined
  const windows: Window[] = []
  await collect(root, 0, source, (from, to) => {
    const last = windows.at(-1)
    // Neighbours share a request as long as it stays small.
    if (last?.to === from - 1 && to + 1 - last.from <= LIMITS.carWindowBytes) last.to = to
    else {
      for (let at = from; at <= to && windows.length < LIMITS.maxCarWindows; at += LIMITS.carWindowBytes) {
        windows.push(windowAt(at, to))
      }
    }
  })
  return windows
}

async function collect(
  cid: CID,
  at: number,
  source: Pick<BlockSource, 'has' | 'getLocal'>,
  missing: (from: number, to: number) => void,
): Promise<void> {
  const node = decodeNode(cid, await source.getLocal(cid))
  const unixfs = node.Data === undefined ? undefined : UnixFS.unmarshal(node.Data)
  let start = at + (unixfs?.data?.byteLength ?? 0)
  for (const [index, { Hash }] of node.Links.entries()) {
    const size = Number(unixfs?.blockSizes[index] ?? 0)
    if (!(await source.has(Hash))) missing(start, start + size - 1)
    else if (Hash.code === dagPb.code) await collect(Hash, start, source, missing)
    start += size
  }
}

function windowAt(from: number, to: number): Window {
  return { from, to: Math.min(to, from + LIMITS.carWindowBytes - 1) }
}

function isDirectory(node: dagPb.PBNode): boolean {
  return node.Data === undefined || UnixFS.unmarshal(node.Data).isDirectory()
}
