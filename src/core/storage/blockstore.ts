import type { Blockstore, InputPair, Pair } from 'interface-blockstore'
import { NotFoundError } from 'interface-store'
import type { CID } from 'multiformats/cid'
import { PocketError, toPocketError, type ErrorCode } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockTable, Durability } from '../ports.ts'
import { toBytes } from './bytes.ts'
import { IndexLog } from './index-log.ts'
import { keyOf, multihashOf, rawCid } from './keys.ts'
import { encodePage } from './log-page.ts'
import { pipeline } from './pipeline.ts'
import { ReadQueue } from './read-queue.ts'
import { sha256Only, verifyBlock, type GetHasher } from './verify.ts'
import { WriteQueue, type PendingWrite } from './write-queue.ts'

export interface StoreOptions {
  signal?: AbortSignal
}

export interface PutOptions extends StoreOptions {
  /** Checks the bytes against the hash first: for blocks that nobody else has checked. */
  verify?: boolean
}

export interface BlockstoreStat {
  blocks: number
  bytes: number
  kind: BlockTable['kind']
  /** Why the blocks are in memory only, if they are. */
  code?: ErrorCode
}

/**
 * Helia's Blockstore, with what the node needs beyond it. Blocks are kept by multihash: one for all CIDs of it.
 * `put` resolves after the commit; until then `has` waits for it and `get` gives the bytes.
 * Errors: `get` of a missing block throws interface-store's NotFoundError as the interface asks; everything else is a
 * PocketError: ERR_BLOCK_TOO_LARGE, ERR_BLOCK_HASH_MISMATCH (put with `verify`), ERR_QUOTA_EXCEEDED, ERR_STORAGE_LOST,
 * ERR_STORAGE_VERSION, ERR_CLOSED. An aborted signal throws its own reason.
 */
export interface PocketBlockstore extends Blockstore<object, PutOptions, PutOptions> {
  put(cid: CID, block: InputPair['bytes'], options?: PutOptions): Promise<CID>
  get(cid: CID, options?: StoreOptions): AsyncGenerator<Uint8Array>
  delete(cid: CID, options?: StoreOptions): Promise<void>
  /** Running totals; costs nothing. */
  stat(): BlockstoreStat
  /** Resolves when all puts and deletes so far are committed; `strict`: are on the disk. */
  flush(durability?: Durability): Promise<void>
  close(): Promise<void>
}

export interface BlockstoreInit {
  /** For `verify`. SHA2-256 only by default. */
  getHasher?: GetHasher
}

/** Reads the index (not the blocks), then answers. @throws ERR_STORAGE_LOST, ERR_STORAGE_VERSION */
export async function createBlockstore(table: BlockTable, options: BlockstoreInit = {}): Promise<PocketBlockstore> {
  const store = new TableBlockstore(table, options)
  await store.open()
  return store
}

class TableBlockstore implements PocketBlockstore {
  readonly #table: BlockTable
  readonly #getHasher: GetHasher
  readonly #log: IndexLog
  readonly #reads: ReadQueue
  readonly #writes: WriteQueue
  /** The last change of a key that is not committed yet. */
  readonly #pending = new Map<string, { write: PendingWrite; done: Promise<void> }>()
  #unwatch: () => void = () => undefined
  #closed = false

  constructor(table: BlockTable, { getHasher = sha256Only }: BlockstoreInit) {
    this.#table = table
    this.#getHasher = getHasher
    this.#log = new IndexLog(table)
    this.#reads = new ReadQueue(table)
    this.#writes = new WriteQueue({
      commit: (batch, durability) => this.#commit(batch, durability),
      maxWrites: LIMITS.writeBatchBlocks,
      maxBytes: LIMITS.writeBatchBytes,
    })
  }

  async open(): Promise<void> {
    // Watch first: what is written between the two is read by one of them.
    this.#unwatch = this.#table.watch(() => void this.#log.catchUp().catch(() => undefined))
    try {
      await this.#log.catchUp()
    } catch (error) {
      this.#unwatch()
      throw toPocketError(error, 'ERR_STORAGE_LOST')
    }
  }

  has(cid: CID, options: StoreOptions = {}): boolean | Promise<boolean> {
    this.#check(options)
    const multihash = multihashOf(cid)
    const pending = this.#pending.size === 0 ? undefined : this.#pending.get(keyOf(multihash))
    if (pending === undefined) return this.#log.index.has(multihash)
    if (pending.write.location === undefined) return false
    // Helia takes a yes for stored: it is one only after the commit.
    return pending.done.then(
      () => true,
      () => false,
    )
  }

  async put(cid: CID, block: InputPair['bytes'], options: PutOptions = {}): Promise<CID> {
    this.#check(options)
    const multihash = multihashOf(cid)
    const value = await toBytes(block, LIMITS.maxBlockBytes)
    if (options.verify === true) await verifyBlock(cid.multihash, value, this.#getHasher)
    this.#check(options)
    const key = keyOf(multihash)
    const pending = this.#pending.get(key)
    if (pending?.write.location !== undefined) await pending.done
    else if (pending !== undefined || !this.#log.index.has(multihash)) {
      await this.#write({ key, multihash, value, location: { size: value.byteLength, file: 0, offset: 0 } })
    }
    return cid
  }

  async *putMany(
    source: Iterable<InputPair> | AsyncIterable<InputPair>,
    options: PutOptions = {},
  ): AsyncGenerator<CID> {
    this.#check(options)
    yield* pipeline(source, LIMITS.writeBatchBlocks, ({ cid, bytes }) => this.put(cid, bytes, options))
  }

  async *get(cid: CID, options: StoreOptions = {}): AsyncGenerator<Uint8Array> {
    this.#check(options)
    const multihash = multihashOf(cid)
    const key = keyOf(multihash)
    const pending = this.#pending.get(key)
    if (pending !== undefined) {
      if (pending.write.value === undefined) throw new NotFoundError()
      // A copy: the reader may transfer it to a port before the transaction has read it.
      yield pending.write.value.slice()
      return
    }
    const value = await this.#read(multihash, key)
    options.signal?.throwIfAborted()
    if (value === undefined) throw new NotFoundError()
    yield value
  }

  async *getMany(source: Iterable<CID> | AsyncIterable<CID>, options: StoreOptions = {}): AsyncGenerator<Pair> {
    this.#check(options)
    for await (const cid of source) yield { cid, bytes: this.get(cid, options) }
  }

  /** Raw CIDs of all blocks; bytes are read when asked for. */
  async *getAll(options: StoreOptions = {}): AsyncGenerator<Pair> {
    this.#check(options)
    await this.flush()
    for (const { multihash } of this.#log.index.entries()) {
      this.#check(options)
      const cid = rawCid(multihash)
      yield { cid, bytes: this.get(cid, options) }
    }
  }

  async delete(cid: CID, options: StoreOptions = {}): Promise<void> {
    this.#check(options)
    const multihash = multihashOf(cid)
    const key = keyOf(multihash)
    const pending = this.#pending.get(key)
    if (pending === undefined ? !this.#log.index.has(multihash) : pending.write.location === undefined) {
      await pending?.done
      return
    }
    await this.#write({ key, multihash })
  }

  async *deleteMany(source: Iterable<CID> | AsyncIterable<CID>, options: StoreOptions = {}): AsyncGenerator<CID> {
    this.#check(options)
    yield* pipeline(source, LIMITS.deleteBatchBlocks, async (cid) => {
      await this.delete(cid, options)
      return cid
    })
  }

  stat(): BlockstoreStat {
    const { blocks, bytes } = this.#log.index
    const { kind, code } = this.#table
    return { blocks, bytes, kind, ...(code === undefined ? {} : { code }) }
  }

  async flush(durability: Durability = 'relaxed'): Promise<void> {
    if (durability === 'strict') await this.#writes.checkpoint()
    else await Promise.allSettled(Array.from(this.#pending.values(), ({ done }) => done))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#unwatch()
    await this.flush()
    await this.#table.close()
  }

  #check({ signal }: StoreOptions): void {
    signal?.throwIfAborted()
    if (this.#closed) throw new PocketError('ERR_CLOSED')
  }

  async #read(multihash: Uint8Array, key: string): Promise<Uint8Array | undefined> {
    try {
      const value = await this.#reads.read(key)
      // Another connection has just stored or deleted it.
      if ((value !== undefined) !== this.#log.index.has(multihash)) await this.#log.catchUp()
      return value
    } catch (error) {
      throw toPocketError(error, 'ERR_STORAGE_LOST')
    }
  }

  #write(write: PendingWrite): Promise<void> {
    const done = this.#writes.push(write).finally(() => {
      if (this.#pending.get(write.key)?.write === write) this.#pending.delete(write.key)
    })
    this.#pending.set(write.key, { write, done })
    return done
  }

  async #commit(batch: PendingWrite[], durability: Durability): Promise<void> {
    try {
      // Speed only: if it fails, the write that follows says why.
      await this.#log.compact().catch(() => undefined)
      const seq = await this.#table.write(
        { blocks: batch, ...(batch.length === 0 ? {} : { page: encodePage(batch) }) },
        durability,
      )
      if (seq !== undefined && batch.length > 0) await this.#log.committed(seq, batch)
    } catch (error) {
      throw toPocketError(error, 'ERR_STORAGE_LOST')
    }
  }
}
