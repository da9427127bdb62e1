import type { CID } from 'multiformats/cid'

/**
 * Roots whose blocks must stay although nothing pins them yet: of fetches that are running, waiting or paused. What is
 * there of such a DAG is kept; that parts are missing is expected. Hold a root before its first block arrives, and let
 * go of it after its pin is committed.
 */
export interface HeldRoots {
  /** Holds a root; the same one may be held several times. What it returns lets go, once. */
  hold(root: CID): () => void
  /** Each root once. */
  all(): CID[]
}

export function createHeldRoots(): HeldRoots {
  const held = new Map<symbol, CID>()
  return {
    hold(root) {
      const key = Symbol('held root')
      held.set(key, root)
      return () => void held.delete(key)
    },
    all: () => [...new Map([...held.values()].map((root) => [root.toString(), root])).values()],
  }
}
