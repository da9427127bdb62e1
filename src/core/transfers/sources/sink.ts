import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { LIMITS } from '../../../shared/limits.ts'
import { sha256Only, verifyBlock, type FilePart, type PocketBlockstore } from '../../storage/index.ts'

export interface SinkInit {
  blocks: Pick<PocketBlockstore, 'has' | 'put' | 'putFile'>
  /** Called for each block once it is committed. */
  onStored: (cid: CID, bytes: number) => void
}

/** Where a source's blocks go: checked against their hash, then stored. Of one job; used by one reader. */
export interface Sink {
  /**
   * Takes a block; a node is checked when it resolves, so that its links can be believed, a leaf perhaps later. Waits while
   * much is on its way to the disk. The bytes must not change afterwards.
   * @throws PocketError ERR_BLOCK_HASH_MISMATCH of this or an earlier block; storage codes
   */
  take(cid: CID, bytes: Uint8Array): Promise<void>
  /** Counts a block that the source's own way has stored and checked. */
  note(cid: CID, bytes: number): void
  /** Resolves when all that was taken is committed. @throws as `take` */
  end(): Promise<void>
}

interface Leaf {
  cid: CID
  bytes: Uint8Array
}

/**
 * Leaves that come together are stored together, as one file that they are parts of: the browser copies it once, where
 * each value of IndexedDB is copied several times (ADR 6).
 */
export function createSink({ blocks, onStored }: SinkInit): Sink {
  const under = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined
  let waiting = 0
  let pack: Leaf[] = []
  let packed = 0

  function run(work: Promise<void>, size: number): void {
    waiting += size
    const job = work
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => {
        waiting -= size
        under.delete(job)
      })
    under.add(job)
  }

  async function value({ cid, bytes }: Leaf): Promise<void> {
    if (await blocks.has(cid)) return
    await blocks.put(cid, bytes)
    onStored(cid, bytes.byteLength)
  }

  async function file(leaves: Leaf[]): Promise<void> {
    const stored = await blocks.putFile(new Blob(leaves.map(({ bytes }) => bytes as Uint8Array<ArrayBuffer>)))
    if (stored === undefined) {
      await Promise.all(leaves.map(value))
      return
    }
    try {
      let offset = 0
      const parts = leaves.map(({ cid, bytes }): FilePart => {
        const part = { cid, offset, length: bytes.byteLength }
        offset += bytes.byteLength
        return part
      })
      await stored.refer(parts)
    } finally {
      await stored.close()
    }
    for (const { cid, bytes } of leaves) onStored(cid, bytes.byteLength)
  }

  function write(): void {
    if (pack.length === 0) return
    const leaves = pack
    const size = packed
    pack = []
    packed = 0
    if (leaves.length === 1 || size < LIMITS.minPackBytes) run(Promise.all(leaves.map(value)).then(), size)
    else run(file(leaves), size)
  }

  async function check(leaf: Leaf): Promise<void> {
    await verifyBlock(leaf.cid.multihash, leaf.bytes, sha256Only)
    // Somebody else may have brought it meanwhile.
    if (await blocks.has(leaf.cid)) return
    pack.push(leaf)
    packed += leaf.bytes.byteLength
    if (packed >= LIMITS.packBytes) write()
  }

  async function room(): Promise<void> {
    while (failure === undefined && waiting >= LIMITS.maxUnwrittenBytes) await Promise.race(under)
    if (failure !== undefined) throw failure.error
  }

  return {
    note: onStored,
    async take(cid, bytes) {
      await room()
      if (cid.code !== dagPb.code) return run(check({ cid, bytes }), bytes.byteLength)
      await verifyBlock(cid.multihash, bytes, sha256Only)
      run(value({ cid, bytes }), bytes.byteLength)
    },
    async end() {
      while (under.size > 0) {
        await Promise.all(under)
        if (under.size === 0) write()
      }
      write()
      await Promise.all(under)
      if (failure !== undefined) throw failure.error
    },
  }
}
