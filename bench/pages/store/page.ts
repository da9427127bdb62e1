/** Fills the app's own store before its node starts, in a page of the app's origin. */
import * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { openPinSet } from '../../../src/core/content/pins.ts'
import { createBlockstore, type PocketBlockstore } from '../../../src/core/storage/index.ts'
import { openBlockTable, openStateTable } from '../../../src/platform/worker/indexeddb/index.ts'

const BLOCK_BYTES = 1024
const AT_ONCE = 512
/** IPIP-499 `unixfs-v1-2025`. */
const LINKS = 1024

/** Blocks that nothing needs. */
export async function fillGarbage(count: number): Promise<void> {
  const store = await createBlockstore(await openBlockTable())
  await putRandom(store, count)
  await store.close()
}

/** A pinned DAG of so many leaves, two levels below its root. */
export async function fillPinned(leaves: number): Promise<void> {
  const [store, state] = await Promise.all([
    openBlockTable().then((table) => createBlockstore(table)),
    openStateTable(),
  ])
  const nodes: CID[] = []
  for (let left = leaves; left > 0; left -= LINKS) {
    nodes.push(await putNode(store, await putRandom(store, Math.min(left, LINKS))))
  }
  const root = await putNode(store, nodes)
  await store.flush('strict')
  const pins = await openPinSet(state)
  await pins.put({
    cid: root.toString(),
    name: 'filler',
    size: leaves * BLOCK_BYTES,
    type: 'file',
    addedAt: Date.now(),
    origin: 'added',
  })
  await Promise.all([store.close(), state.close()])
}

/** Resolves when nothing is left to be deleted behind the deletions. */
export async function untilPurged(): Promise<void> {
  const table = await openBlockTable()
  while ((await table.trash(1)) !== undefined) await new Promise((resolve) => setTimeout(resolve, 5))
  await table.close()
}

async function putRandom(store: PocketBlockstore, count: number): Promise<CID[]> {
  const cids: CID[] = []
  for (let at = 0; at < count; at += AT_ONCE) {
    const many = Math.min(AT_ONCE, count - at)
    const bytes = new Uint8Array(many * BLOCK_BYTES)
    for (let from = 0; from < bytes.length; from += 65_536) {
      crypto.getRandomValues(bytes.subarray(from, Math.min(from + 65_536, bytes.length)))
    }
    const put = async (_: unknown, n: number): Promise<CID> => {
      const block = bytes.subarray(n * BLOCK_BYTES, (n + 1) * BLOCK_BYTES)
      return store.put(CID.createV1(raw.code, await sha256.digest(block)), block)
    }
    cids.push(...(await Promise.all(Array.from({ length: many }, put))))
  }
  return cids
}

async function putNode(store: PocketBlockstore, links: CID[]): Promise<CID> {
  const bytes = dagPb.encode({ Links: links.map((Hash) => ({ Hash, Tsize: BLOCK_BYTES })) })
  return store.put(CID.createV1(dagPb.code, await sha256.digest(bytes)), bytes)
}
