import type { InputPair, Pair } from 'interface-blockstore'
import { NotFoundError } from 'interface-store'
import type { CID } from 'multiformats/cid'
import { PocketError, isPocketError, toPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockTable, Durability } from '../ports.ts'
import type { BlockLocation } from './block-index.ts'
import { BlockReader } from './block-reader.ts'
import { toBytes } from './bytes.ts'
import { FileStore, type StoredFile } from './file-store.ts'
import { IndexLog } from './index-log.ts'
import { keyOf, multihashOf, rawCid } from './keys.ts'
import { encodePage } from './log-page.ts'
import { pipeline } from './pipeline.ts'
import { Purger } from './purger.ts'
import { ReadQueue } from './read-queue.ts'
import { createBlockUses, type BlockUses } from './uses.ts'
import type { BlockstoreInit, BlockstoreStat, PocketBlockstore, PutOptions, StoreOptions } from './types.ts'
import { sha256Only, verifyBlock, type GetHasher } from './verify.ts'
import { WriteQueue, type PendingWrite } from './write-queue.ts'

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
  readonly #reader: BlockReader
  readonly #init: BlockstoreInit
  readonly #writes: WriteQueue
  /** The last change of a key that is not committed yet. */
  readonly #pending = new Map<string, { write: PendingWrite; done: Promise<void> }>()
  readonly #files: FileStore
  readonly #purger: Purger
  readonly uses: BlockUses
  #unwatch: () => void = () => undefined
  #closed = false

  constructor(table: BlockTable, init: BlockstoreInit) {
    const { getHasher = sha256Only } = init
    this.#table = table
    this.#getHasher = getHasher
    this.#init = init
    this.#log = new IndexLog(table)
    this.#writes = new WriteQueue({
      commit: (batch, durability) => this.#commit(batch, durability),
      maxWrites: LIMITS.writeBatchChanges,
      maxValues: LIMITS.writeBatchBlocks,
      maxBytes: LIMITS.writeBatchBytes,
    })
    this.#purger = new Purger(table, this.#log, this.#writes)
    this.#files = new FileStore({ table, log: this.#log, add: (write) => this.#withRoom(0, () => this.#add(write)) })
    this.#reader = new BlockReader({ log: this.#log, reads: new ReadQueue(table), files: this.#files, getHasher })
    this.uses = createBlockUses({
      log: this.#log,
      reader: this.#reader,
      isPending: (key) => this.#pending.has(key),
      delete: (key, multihash) => this.#write({ key, multihash }),
    })
  }

  async open(): Promise<void> {
    // Watch first: what is written between the two is read by one of them.
    this.#unwatch = this.#table.watch(() => void this.#follow().catch(() => undefined))
    try {
      await this.#log.catchUp()
    } catch (error) {
      this.#unwatch()
      throw toPocketError(error, 'ERR_STORAGE_LOST')
    }
    this.#purger.schedule()
  }

  has(cid: CID, options: StoreOptions = {}): boolean | Promise<boolean> {
    this.#check(options)
    const multihash = multihashOf(cid)
    const pending = this.#pending.size === 0 ? undefined : this.#pending.get(keyOf(multihash))
    if (pending === undefined) return this.#has(multihash)
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
    const write = { key: keyOf(multihash), multihash, value, location: inline(value) }
    await this.#withRoom(value.byteLength, () => this.#add(write))
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
    const pending = this.#pending.get(key)?.write
    if (pending?.value !== undefined) {
      // A copy: the reader may transfer it to a port before the transaction has read it.
      yield pending.value.slice()
      return
    }
    if (pending !== undefined && pending.location === undefined) throw new NotFoundError()
    // A part of a file on its way: what refers to it is not committed yet.
    if (pending !== undefined) await this.#pending.get(key)?.done.catch(() => undefined)
    this.#log.index.use(multihash)
    const value = await this.#reader.read(cid.multihash)
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
    yield* pipeline(source, LIMITS.writeBatchChanges, async (cid) => {
      await this.delete(cid, options)
      return cid
    })
  }

  async putFile(file: Blob): Promise<StoredFile | undefined> {
    this.#check({})
    const stored = await this.#withRoom(file.size, () => this.#files.put(file))
    if (stored !== undefined) this.#init.onWritten?.(file.size)
    return stored
  }

  async openFile(id: number): Promise<StoredFile | undefined> {
    this.#check({})
    return this.#files.open(id)
  }

  async keepsFiles(): Promise<boolean> {
    this.#check({})
    return this.#files.supported()
  }

  async sweepFiles(keep: Iterable<number> = []): Promise<number> {
    this.#check({})
    await this.flush()
    return this.#files.sweepAll(keep)
  }

  sizeOf(cid: CID): number | undefined {
    return this.#log.index.get(multihashOf(cid))?.size
  }

  stat(): BlockstoreStat {
    const { blocks, bytes, files } = this.#log.index
    const { kind, code } = this.#table
    return { blocks, bytes, files: files.size, kind, ...(code === undefined ? {} : { code }) }
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
    await this.#purger.stop()
    this.#files.forget()
    await this.#table.close()
  }

  #check({ signal }: StoreOptions): void {
    signal?.throwIfAborted()
    if (this.#closed) throw new PocketError('ERR_CLOSED')
  }

  #has(multihash: Uint8Array): boolean {
    return this.#log.index.use(multihash) && !this.#reader.isDamaged(multihash)
  }

  /** Where there is no room for `work`, it is done once more when there is. */
  async #withRoom<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!isPocketError(error, 'ERR_QUOTA_EXCEEDED') || (await this.#init.makeRoom?.(bytes)) !== true) throw error
      // A file is not put in a commit, which would see to that itself.
      await this.#writes.alone(async () => void (await this.#purger.drain()))
      return work()
    }
  }

  async #follow(): Promise<void> {
    await this.#log.catchUp()
    this.#files.forgetGone()
  }

  /** Writes unless the block is there or on its way; resolves when it is committed. */
  async #add(write: PendingWrite): Promise<void> {
    const pending = this.#pending.get(write.key)
    if (pending?.write.location !== undefined) await pending.done
    else if (pending !== undefined || !this.#has(write.multihash)) await this.#write(write)
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
      const seq = await this.#commitOnce(batch, durability).catch(async (error: unknown) => {
        // What was deleted may still take room.
        if (!isPocketError(error, 'ERR_QUOTA_EXCEEDED') || !(await this.#purger.drain())) throw error
        return this.#commitOnce(batch, durability)
      })
      if (batch.length > 0) await this.#log.committed(seq, batch)
      for (const { key, multihash, location } of batch) {
        this.#reader.forget(key)
        // Who puts a block or refers to a part has hashed it.
        if (location !== undefined) this.#log.index.mark(multihash, 'checked')
      }
      this.#init.onWritten?.(batch.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0))
    } catch (error) {
      throw toPocketError(error, 'ERR_STORAGE_LOST')
    }
  }

  async #commitOnce(batch: PendingWrite[], durability: Durability): Promise<number> {
    const page = batch.length === 0 ? {} : { page: encodePage(batch) }
    const blocks = batch.filter(({ value }) => value !== undefined)
    for (;;) {
      const drops = this.#files.drops(batch)
      const notes = this.#purger.notes(batch)
      const seq = await this.#table.write({ blocks, ...page, ...drops, ...notes }, durability)
      if (notes.trash !== undefined) this.#purger.schedule()
      if (seq !== undefined) {
        this.#files.forget(drops.dropFiles ?? [])
        return seq
      }
      await this.#log.catchUp()
    }
  }
}

function inline(value: Uint8Array): BlockLocation {
  return { size: value.byteLength, file: 0, offset: 0 }
}
