import { CID } from 'multiformats/cid'
import type { Blockstore } from 'interface-blockstore'
import type { BlockSource } from './block-source.ts'
import { keyOf, walkDag } from './walk.ts'

/** Blocks looked at together: reads from the store only. */
const WINDOW = 32

/**
 * Frees the blocks of a DAG that nothing kept needs any more.
 * Returns how many went.
 */
export async function collectDag(
  root: CID,
  kept: string[],
  source: BlockSource,
  blocks: Pick<Blockstore, 'deleteMany'>,
): Promise<number> {
  const doomed = new Map<string, CID>()
  await walkLocal(root, source, (cid) => void doomed.set(keyOf(cid), cid))
  return free(doomed, kept, source, blocks)
}

/** Frees those of `written` that nothing kept needs: what an add has left behind that did not come to its end. */
export async function collectBlocks(
  written: CID[],
  kept: string[],
  source: BlockSource,
  blocks: Pick<Blockstore, 'deleteMany'>,
): Promise<number> {
  return free(new Map(written.map((cid) => [keyOf(cid), cid])), kept, source, blocks)
}

async function free(
  doomed: Map<string, CID>,
  kept: string[],
  source: BlockSource,
  blocks: Pick<Blockstore, 'deleteMany'>,
): Promise<number> {
  for (const cid of kept) {
    if (doomed.size === 0) break
    await walkLocal(CID.parse(cid), source, (each) => void doomed.delete(keyOf(each)))
  }
  let freed = 0
  for await (const _ of blocks.deleteMany([...doomed.values()])) freed++
  return freed
}

async function walkLocal(root: CID, source: BlockSource, visit: (cid: CID) => void): Promise<void> {
  await walkDag(root, {
    window: WINDOW,
    async load(cid) {
      if (!(await source.has(cid))) return undefined
      visit(cid)
      // A raw leaf has no links: no need to read it.
      return cid.code === 0x55 ? undefined : source.getLocal(cid)
    },
  })
}
