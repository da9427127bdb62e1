import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockSource } from '../content/block-source.ts'
import type { BlockUses } from '../storage/index.ts'
import { nodeLinks, type NodeLinks } from './node-links.ts'
import { Turns } from './turns.ts'

export interface WalkHeldInit {
  uses: Pick<BlockUses, 'visit' | 'visitLeaf' | 'setLeaf'>
  source: Pick<BlockSource, 'getLocal'>
  signal?: AbortSignal
  /** Every block that is there, by its CID or its multihash; some more than once. */
  onBlock?: (block: CID | Uint8Array) => void
  /** A node that is not there or cannot be read: what is below it is not known. May throw to end the walk. */
  onHole: (cid: CID, error: unknown) => void
}

/**
 * Visits the blocks of DAGs that are in the store. Nodes are read, leaves are not: a link that says `raw` has none below
 * it. What is kept meanwhile are the links that are still to be followed; what has been seen, the store's index keeps.
 */
export async function walkHeld(roots: Iterable<CID>, init: WalkHeldInit): Promise<void> {
  const { uses, source, signal, onBlock, onHole } = init
  const starts = roots[Symbol.iterator]()
  const waiting: CID[] = []
  const turns = new Turns()
  const active = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined

  const meet = (cid: CID): void => {
    const hasLinks = cid.code === dagPb.code
    // The block of an identity CID is the CID itself: not in the store, and readable always.
    if (cid.multihash.code === 0) {
      if (hasLinks) waiting.push(cid)
      return
    }
    const step = uses.visit(cid, hasLinks)
    if (step === 'absent') {
      if (hasLinks) onHole(cid, undefined)
      return
    }
    onBlock?.(cid)
    if (step === 'read') waiting.push(cid)
  }

  const read = async (cid: CID): Promise<void> => {
    let links: NodeLinks
    try {
      const bytes = await source.getLocal(cid)
      // Many arrive in one transaction: hundreds of milliseconds on a phone, which has heartbeats to answer meanwhile.
      while (turns.over) await turns.next()
      links = nodeLinks(cid, bytes)
    } catch (error) {
      onHole(cid, error)
      return
    }
    const { leaves, others } = links
    if (leaves.length + others.length === 0 && cid.multihash.code !== 0) uses.setLeaf(cid)
    for (const multihash of leaves) if (uses.visitLeaf(multihash)) onBlock?.(multihash)
    for (const link of others) meet(link)
  }

  /** The next node to read. The next root is looked at when nothing else waits: thousands of small ones are read at once. */
  const next = (): CID | undefined => {
    while (waiting.length === 0) {
      const root = starts.next()
      if (root.done === true) return undefined
      meet(root.value)
    }
    return waiting.pop()
  }

  for (;;) {
    signal?.throwIfAborted()
    while (active.size < LIMITS.walkWindow && failure === undefined) {
      const cid = next()
      if (cid === undefined) break
      const job = read(cid)
        .catch((error: unknown) => void (failure ??= { error }))
        .finally(() => active.delete(job))
      active.add(job)
    }
    if (active.size === 0) break
    await Promise.race(active)
  }
  if (failure !== undefined) throw failure.error
}
