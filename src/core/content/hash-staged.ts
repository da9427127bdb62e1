import type { CID } from 'multiformats/cid'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { pipeline } from '../storage/index.ts'
import { rawCidOf } from './file-dag.ts'
import { readWhole } from './sources.ts'
import { stagedLeaves, type StagedAdd, type StagedLeaf } from './staged.ts'

export interface HashedLeaf extends StagedLeaf {
  cid: CID
}

/** Bytes of one read and reads under way: Chromium reads large slices several times faster than small ones (ADR 3). */
const READ_BYTES = 8 * LIMITS.chunkBytes
const READS = 4
/** Leaves of one read: a pack of tiny files has tens of thousands, too many for one turn of the event loop. */
const LEAVES = 256

/**
 * The leaves of what is staged with their CIDs, in order, in groups that lie side by side in one stored file. The stored
 * copy is hashed, several reads ahead.
 */
export function hashStaged(
  record: StagedAdd,
  open: (file: number) => Promise<Blob>,
  signal: AbortSignal,
): AsyncGenerator<HashedLeaf[], void> {
  return pipeline(groups(record), READS, async (leaves) => {
    signal.throwIfAborted()
    const [first] = leaves
    if (first === undefined) throw new PocketError('ERR_INTERNAL')
    const blob = await open(first.file)
    const { offset } = first
    const size = leaves.reduce((sum, { length }) => sum + length, 0)
    if (offset + size > blob.size) throw new PocketError('ERR_SOURCE_CHANGED', 'The stored copy is too short')
    const bytes = await readWhole(blob.slice(offset, offset + size))
    return Promise.all(
      leaves.map(async (leaf) => {
        const at = leaf.offset - offset
        return { ...leaf, cid: await rawCidOf(bytes.subarray(at, at + leaf.length)) }
      }),
    )
  })
}

/** Leaves that one read gives. */
function* groups(record: StagedAdd): Generator<StagedLeaf[], void> {
  let group: StagedLeaf[] = []
  let size = 0
  for (const leaf of stagedLeaves(record)) {
    const last = group.at(-1)
    const isNext = last?.file === leaf.file && last.offset + last.length === leaf.offset
    if (last !== undefined && (!isNext || group.length === LEAVES || size + leaf.length > READ_BYTES)) {
      yield group
      group = []
      size = 0
    }
    group.push(leaf)
    size += leaf.length
  }
  if (group.length > 0) yield group
}
