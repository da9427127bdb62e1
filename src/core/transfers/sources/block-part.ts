import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { LIMITS } from '../../../shared/limits.ts'
import type { BlockSource } from '../../content/block-source.ts'
import { keyOf } from '../../content/walk.ts'
import { linksWithin, type Part, type Place } from './part.ts'

export interface BlockPartInit {
  store: Pick<BlockSource, 'has' | 'getLocal'>
  signal: AbortSignal
  /** Asks for one block and hands it to the store; when a node's bytes are there it has been checked. */
  bring: (cid: CID) => Promise<Uint8Array>
}

/** Brings what of a part is missing block by block, several at once. @throws what `bring` throws */
export async function bringBlocks(part: Part, { store, signal, bring }: BlockPartInit): Promise<void> {
  const seen = new Set([keyOf(part.root)])
  const waiting: Place[] = [{ cid: part.root, start: 0 }]
  const active = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined
  const visit = async (place: Place): Promise<void> => {
    let bytes: Uint8Array | undefined
    if (!(await store.has(place.cid))) bytes = await bring(place.cid)
    else if (place.cid.code === dagPb.code) bytes = await store.getLocal(place.cid)
    if (bytes === undefined) return
    for (const next of linksWithin(part, place, bytes).reverse()) {
      if (seen.has(keyOf(next.cid))) continue
      seen.add(keyOf(next.cid))
      waiting.push(next)
    }
  }
  while ((waiting.length > 0 || active.size > 0) && failure === undefined) {
    while (active.size < LIMITS.fetchWindow && !signal.aborted) {
      const place = waiting.pop()
      if (place === undefined) break
      const job = visit(place)
        .catch((error: unknown) => void (failure ??= { error }))
        .finally(() => active.delete(job))
      active.add(job)
    }
    signal.throwIfAborted()
    await Promise.race(active)
  }
  await Promise.all(active)
  if (failure !== undefined) throw failure.error
}
