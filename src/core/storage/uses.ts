import type { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockLocation } from './block-index.ts'
import type { BlockReader, Condition } from './block-reader.ts'
import type { IndexLog } from './index-log.ts'
import { keyOf, multihashOf, rawCid } from './keys.ts'

/** Blocks and bytes that are gone, or that would be. */
export interface Amount {
  blocks: number
  bytes: number
}

export interface Dropped extends Amount {
  /** Bytes that this makes free in the storage: a file kept whole goes with its last part. */
  room: number
}

/** Where a walk stands with a block: `read` it for what it links to, `done` with it, or it is not there. */
export type Step = 'read' | 'done' | 'absent'

/**
 * What the collection of garbage asks of the store. Uses are counted on a clock that moves on with every put, get and
 * has that found something, and with every visit of a walk: what was used since some time is what nobody may free.
 */
export interface BlockUses {
  /** The time of the next use. */
  now(): number
  /** A walk begins: nothing has been visited. One walk at a time. */
  beginWalk(): void
  /** Notes that a block is needed; `read` only once, for what a walk has to read for its links. */
  visit(cid: CID, hasLinks: boolean): Step
  /** The same for a block that is known to link to nothing, by its multihash: whether it is there. */
  visitLeaf(multihash: Uint8Array): boolean
  /** A node that links to nothing need not be read again. */
  setLeaf(cid: CID): void
  /** It is to go as soon as nothing needs it. */
  doom(block: CID | Uint8Array): void
  /** Blocks that were not used at `before` or later; of the doomed ones only, if asked. Others may change meanwhile. */
  unused(before: number, doomed: boolean): Iterable<Uint8Array>
  /** The least recently used of them, as many as hold so many bytes, but no more than one batch of the store. */
  oldest(before: number, bytes: number): Uint8Array[]
  /** Deletes those that are still unused; resolves after the commit to what is gone. */
  drop(multihashes: Uint8Array[], before: number): Promise<Dropped>
  /** Every block that is there, as raw CIDs. Others may change meanwhile. */
  all(): Iterable<CID>
  /** Reads and hashes a block. Not a use. */
  check(cid: CID): Promise<Condition>
}

export interface BlockUsesInit {
  log: IndexLog
  reader: BlockReader
  isPending: (key: string) => boolean
  delete: (key: string, multihash: Uint8Array) => Promise<void>
}

export function createBlockUses({ log, reader, isPending, delete: remove }: BlockUsesInit): BlockUses {
  const { index } = log
  /** Bytes that were dropped of files of which other parts are still there. */
  const parts = new Map<number, number>()
  const roomOf = ({ file, size }: BlockLocation): number => {
    if (file === 0) return size
    parts.set(file, (parts.get(file) ?? 0) + size)
    return 0
  }
  const roomOfGoneFiles = (): number => {
    let room = 0
    for (const [file, bytes] of parts) {
      if (index.files.has(file)) continue
      parts.delete(file)
      room += bytes
    }
    return room
  }
  return {
    now: () => index.clock + 1,
    beginWalk: () => index.unmarkAll('walked'),
    visit(cid, hasLinks) {
      const multihash = multihashOf(cid)
      if (!index.use(multihash)) return 'absent'
      index.mark(multihash, 'doomed', false)
      if (!hasLinks || index.is(multihash, 'walked') || index.is(multihash, 'leaf')) return 'done'
      index.mark(multihash, 'walked')
      return 'read'
    },
    visitLeaf(multihash) {
      const found = index.use(multihash)
      if (found) index.mark(multihash, 'doomed', false)
      return found
    },
    setLeaf: (cid) => index.mark(multihashOf(cid), 'leaf'),
    doom: (block) => index.mark(block instanceof Uint8Array ? block : multihashOf(block), 'doomed'),
    *unused(before, doomed) {
      for (const { multihash } of index.entries(before, doomed ? 'doomed' : undefined)) yield multihash
    },
    oldest(before, bytes) {
      const found: Uint8Array[] = []
      let wanted = bytes
      for (const { multihash, location } of index.byUse(before)) {
        if (wanted <= 0 || found.length === LIMITS.writeBatchChanges) break
        found.push(multihash)
        wanted -= location.size
      }
      return found
    },
    async drop(multihashes, before) {
      const dropped: Dropped = { blocks: 0, bytes: 0, room: 0 }
      await Promise.all(
        multihashes.map(async (multihash) => {
          const location = index.get(multihash)
          const key = keyOf(multihash)
          // Nothing may come between the look and the deletion: from there on has() denies the block.
          if (location === undefined || (index.usedAt(multihash) ?? before) >= before || isPending(key)) return
          await remove(key, multihash)
          dropped.blocks++
          dropped.bytes += location.size
          dropped.room += roomOf(location)
        }),
      )
      dropped.room += roomOfGoneFiles()
      return dropped
    },
    *all() {
      for (const { multihash } of index.entries()) yield rawCid(multihash)
    },
    check: (cid) => reader.check(Digest.decode(multihashOf(cid))),
  }
}
