import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'

export interface WalkOptions {
  signal?: AbortSignal
  /** Blocks under way at once. */
  window: number
  /** The bytes of a block, or undefined to pass over it and what is below. Asked once for each multihash. */
  load: (cid: CID) => Promise<Uint8Array | undefined>
}

/**
 * Visits every block of a DAG once, in the order in which a reader needs them, `window` at a time. A link that occurs a
 * million times costs one visit; cycles cannot occur, since a hash cannot contain itself.
 * @throws what `load` throws; PocketError ERR_INVALID_BLOCK for a node that does not decode, ERR_LIMIT_EXCEEDED
 */
export async function walkDag(root: CID, { signal, window, load }: WalkOptions): Promise<void> {
  const seen = new Set<string>()
  const waiting: CID[] = []
  const active = new Set<Promise<void>>()
  const want = (cid: CID): void => {
    const key = keyOf(cid)
    if (seen.has(key)) return
    seen.add(key)
    if (seen.size > LIMITS.maxDagBlocks) {
      throw new PocketError('ERR_LIMIT_EXCEEDED', 'There are too many blocks', {
        detail: { limit: LIMITS.maxDagBlocks },
      })
    }
    waiting.push(cid)
  }
  const visit = async (cid: CID): Promise<void> => {
    const bytes = await load(cid)
    if (bytes !== undefined) for (const link of linksOf(cid, bytes).reverse()) want(link)
  }

  want(root)
  let failure: { error: unknown } | undefined
  while ((waiting.length > 0 || active.size > 0) && failure === undefined) {
    signal?.throwIfAborted()
    while (waiting.length > 0 && active.size < window) {
      const cid = waiting.pop()
      if (cid === undefined) break
      const job = visit(cid)
        .catch((error: unknown) => void (failure ??= { error }))
        .finally(() => active.delete(job))
      active.add(job)
    }
    await Promise.race(active)
  }
  if (failure !== undefined) throw failure.error
}

/**
 * One block may stand under several CIDs: the multihash is what it is.
 * @throws PocketError ERR_INVALID_BLOCK for one that is longer than any hash: a block that is inlined
 */
export function keyOf(cid: CID): string {
  if (cid.multihash.bytes.byteLength > LIMITS.maxMultihashBytes) throw new PocketError('ERR_INVALID_BLOCK')
  return String.fromCharCode(...cid.multihash.bytes)
}

/** @throws PocketError ERR_INVALID_BLOCK */
export function decodeNode(cid: CID, bytes: Uint8Array): dagPb.PBNode {
  try {
    return dagPb.decode(bytes)
  } catch (cause) {
    throw new PocketError('ERR_INVALID_BLOCK', undefined, { cause, detail: { cid: cid.toString() } })
  }
}

function linksOf(cid: CID, bytes: Uint8Array): CID[] {
  return cid.code === dagPb.code ? decodeNode(cid, bytes).Links.map((link) => link.Hash) : []
}
