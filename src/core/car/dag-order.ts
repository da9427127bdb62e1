import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import type { BlockSource } from '../content/block-source.ts'
import { orderedBlocks, type OrderedBlock } from '../content/ordered-blocks.ts'
import { decodeNode, keyOf } from '../content/walk.ts'

/**
 * The blocks of a DAG depth first, each once: what trustless gateways promise as `order=dfs; dups=n`. With `links`, of the
 * root's children only those between, both included.
 */
export function dagOrder(
  root: CID,
  source: Pick<BlockSource, 'get'>,
  { links, ...options }: { signal?: AbortSignal; links?: { from: number; to: number } } = {},
): AsyncGenerator<OrderedBlock<undefined>, void> {
  const seen = new Set<string>([keyOf(root)])
  const isNew = (cid: CID): boolean => !seen.has(keyOf(cid)) && seen.add(keyOf(cid)) !== undefined
  return orderedBlocks({ cid: root, at: undefined }, source, {
    ...options,
    below: ({ cid, bytes }) =>
      cid.code === dagPb.code
        ? decodeNode(cid, bytes)
            .Links.slice(...(links !== undefined && cid.equals(root) ? [links.from, links.to + 1] : []))
            .filter(({ Hash }) => isNew(Hash))
            .map(({ Hash }) => ({ cid: Hash, at: undefined }))
        : [],
  })
}
