import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockSource } from '../content/block-source.ts'
import { decodeUnixfs } from '../content/unixfs.ts'
import { decodeNode, keyOf } from '../content/walk.ts'

/** Bytes of a file, both included. */
export interface Window {
  from: number
  to: number
}

/**
 * The parts of a file of which blocks are missing, each of at most LIMITS.carWindowBytes (or one block).
 * @throws ERR_INVALID_BLOCK; the signal's reason
 */
export async function missingWindows(
  root: CID,
  source: Pick<BlockSource, 'has' | 'getLocal'>,
  signal?: AbortSignal,
): Promise<Window[]> {
  const windows: Window[] = []
  const add = (from: number, to: number): void => {
    const last = windows.at(-1)
    // Neighbours share a request as long as it stays small.
    if (last?.to === from - 1 && to + 1 - last.from <= LIMITS.carWindowBytes) {
      last.to = to
      return
    }
    for (let at = from; at <= to && windows.length < LIMITS.maxCarWindows; at += LIMITS.carWindowBytes) {
      windows.push({ from: at, to: Math.min(to, at + LIMITS.carWindowBytes - 1) })
    }
  }
  // A node that occurs again has the same blocks below it: looked at once, whatever a file's maker repeats.
  const seen = new Set<string>()
  const collect = async (cid: CID, at: number): Promise<void> => {
    if (seen.has(keyOf(cid))) return
    seen.add(keyOf(cid))
    signal?.throwIfAborted()
    const node = decodeNode(cid, await source.getLocal(cid))
    const unixfs = decodeUnixfs(cid, node)
    let start = at + (unixfs.data?.byteLength ?? 0)
    for (const [index, { Hash }] of node.Links.entries()) {
      const size = Number(unixfs.blockSizes[index] ?? 0)
      if (!(await source.has(Hash))) add(start, start + size - 1)
      else if (Hash.code === dagPb.code) await collect(Hash, start)
      start += size
    }
  }
  await collect(root, 0)
  return windows
}
