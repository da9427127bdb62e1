import type { BlockBatch, BlockTable, Durability, LogPage } from '../../../core/ports.ts'
import { isPocketError } from '../../../shared/errors.ts'
import { Connection, META_STORE, type DatabaseLayout } from './connection.ts'

const BLOCKS = 'blocks'
const LOG = 'log'
const FILES = 'files'
const TRASH = 'trash'
/** A record that a checkpoint without a page writes: an empty transaction is not flushed. */
const CHECKPOINT_KEY = 'checkpoint'

/** A key that no note has: they begin with 1. */
const NO_NOTE = 0

/** Log pages, keys and notes read at once: a few MiB in memory. */
const PAGES_A_READ = 64
const KEYS_A_READ = 4096
const NOTES_A_READ = 64

const layout = (name: string): DatabaseLayout => ({
  name,
  steps: [
    { [BLOCKS]: {}, [LOG]: { autoIncrement: true }, [FILES]: { autoIncrement: true } },
    { [TRASH]: { autoIncrement: true } },
  ],
})

export interface BlockTableOptions {
  /** Name of the database. */
  name?: string
}

/**
 * Blocks in IndexedDB. Several connections, in several workers, may be open at once.
 * @throws ERR_STORAGE_UNAVAILABLE (the caller goes on with `createMemoryBlockTable`), ERR_STORAGE_VERSION, ERR_QUOTA_EXCEEDED
 */
export async function openBlockTable({ name = 'pocket-blocks' }: BlockTableOptions = {}): Promise<BlockTable> {
  return new IndexedDbBlockTable(await Connection.open(layout(name)), name)
}

class IndexedDbBlockTable implements BlockTable {
  readonly kind = 'persistent'
  readonly #connection: Connection
  /** Only says that there is something to read; what it is, the log says. */
  readonly #channel: BroadcastChannel

  constructor(connection: Connection, name: string) {
    this.#connection = connection
    this.#channel = new BroadcastChannel(name)
  }

  getMany(keys: string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#connection.run([BLOCKS], 'readonly', 'relaxed', (transaction) => {
      const store = transaction.objectStore(BLOCKS)
      const requests = keys.map((key) => store.get(key))
      return () => requests.map((request) => request.result as Uint8Array | undefined)
    })
  }

  async write(batch: BlockBatch, durability: Durability): Promise<number | undefined> {
    try {
      return await this.#write(batch, durability)
    } catch (error) {
      if (!isPocketError(error, 'ERR_QUOTA_EXCEEDED')) throw error
      await this.#clearRefusal()
      // What brings no values needs no room: it was refused for what was refused before it.
      if (batch.blocks.some(({ value }) => value !== undefined)) throw error
      return this.#write(batch, durability)
    }
  }

  async #write(batch: BlockBatch, durability: Durability): Promise<number | undefined> {
    const { blocks, page, dropFiles = [], trash = [], trashDone, expect } = batch
    const stores = [LOG, META_STORE]
    if (blocks.length > 0) stores.push(BLOCKS)
    if (dropFiles.length > 0) stores.push(FILES)
    if (trash.length > 0 || trashDone !== undefined) stores.push(TRASH)
    const seq = await this.#connection.run(stores, 'readwrite', durability, (transaction) => {
      let last: number | undefined
      const write = () => {
        for (const { key, value } of blocks) {
          if (value === undefined) transaction.objectStore(BLOCKS).delete(key)
          else transaction.objectStore(BLOCKS).put(value, key)
        }
        for (const id of dropFiles) transaction.objectStore(FILES).delete(id)
        for (const keys of trash) transaction.objectStore(TRASH).add(keys)
        if (trashDone !== undefined) transaction.objectStore(TRASH).delete(IDBKeyRange.upperBound(trashDone))
        if (page === undefined) {
          transaction.objectStore(META_STORE).put(Date.now(), CHECKPOINT_KEY)
        } else {
          const added = transaction.objectStore(LOG).add(page)
          added.onsuccess = () => (last = added.result as number)
        }
      }
      if (expect === undefined && page !== undefined) write()
      else {
        readLast(transaction, (found) => {
          if (expect !== undefined && expect !== found) return
          last = found
          write()
        })
      }
      return () => last
    })
    if (page !== undefined && seq !== undefined) this.#channel.postMessage('written')
    return seq
  }

  async *log(after: number): AsyncGenerator<LogPage[]> {
    const read = (from: number): Promise<LogPage[]> => {
      const range = IDBKeyRange.lowerBound(from, true)
      return this.#connection.run([LOG], 'readonly', 'relaxed', (transaction) => {
        const keys = transaction.objectStore(LOG).getAllKeys(range, PAGES_A_READ)
        const values = transaction.objectStore(LOG).getAll(range, PAGES_A_READ)
        return () => (values.result as Uint8Array[]).map((bytes, at) => ({ seq: keys.result[at] as number, bytes }))
      })
    }
    let reading = read(after)
    for (;;) {
      const pages = await reading
      const last = pages.at(-1)
      if (last === undefined) return
      const isLast = pages.length < PAGES_A_READ
      if (!isLast) {
        // While these are taken in: a start with a large store waits for both.
        reading = read(last.seq)
        reading.catch(() => undefined)
      }
      yield pages
      if (isLast) return
    }
  }

  async replaceLog(last: number, pages: Uint8Array[]): Promise<number | undefined> {
    const seq = await this.#connection.run([LOG], 'readwrite', 'relaxed', (transaction) => {
      const store = transaction.objectStore(LOG)
      let replaced: number | undefined
      readLast(transaction, (found) => {
        if (found !== last) return
        store.delete(IDBKeyRange.upperBound(last))
        for (const page of pages) {
          const added = store.add(page)
          added.onsuccess = () => (replaced = added.result as number)
        }
      })
      return () => replaced
    })
    if (seq !== undefined) this.#channel.postMessage('written')
    return seq
  }

  async *keys(): AsyncGenerator<string[]> {
    let range: IDBKeyRange | undefined
    for (;;) {
      const keys = await this.#connection.run([BLOCKS], 'readonly', 'relaxed', (transaction) => {
        const request = transaction.objectStore(BLOCKS).getAllKeys(range, KEYS_A_READ)
        return () => request.result as string[]
      })
      const last = keys.at(-1)
      if (last === undefined) return
      yield keys
      range = IDBKeyRange.lowerBound(last, true)
    }
  }

  async putFile(file: Blob): Promise<number> {
    try {
      // A Blob is a file of its own, which a later strict transaction of others does not sync.
      return await this.#connection.run([FILES], 'readwrite', 'strict', (transaction) => {
        const request = transaction.objectStore(FILES).add(file)
        return () => request.result as number
      })
    } catch (error) {
      if (isPocketError(error, 'ERR_QUOTA_EXCEEDED')) await this.#clearRefusal()
      throw error
    }
  }

  getFile(id: number): Promise<Blob | undefined> {
    return this.#connection.run([FILES], 'readonly', 'relaxed', (transaction) => {
      const request = transaction.objectStore(FILES).get(id)
      return () => request.result as Blob | undefined
    })
  }

  fileIds(): Promise<number[]> {
    return this.#connection.run([FILES], 'readonly', 'relaxed', (transaction) => {
      const request = transaction.objectStore(FILES).getAllKeys()
      return () => request.result as number[]
    })
  }

  trash(wanted: number): Promise<{ id: number; keys: string[] } | undefined> {
    return this.#connection.run([TRASH], 'readonly', 'relaxed', (transaction) => {
      const ids = transaction.objectStore(TRASH).getAllKeys(null, NOTES_A_READ)
      const notes = transaction.objectStore(TRASH).getAll(null, NOTES_A_READ)
      return () => {
        const found = { id: 0, keys: [] as string[] }
        for (const [at, note] of (notes.result as string[][]).entries()) {
          if (found.keys.length > 0 && found.keys.length + note.length > wanted) break
          found.id = ids.result[at] as number
          found.keys.push(...note)
        }
        return found.id === 0 ? undefined : found
      }
    })
  }

  watch(listener: () => void): () => void {
    this.#channel.addEventListener('message', listener)
    return () => this.#channel.removeEventListener('message', listener)
  }

  /**
   * Once it has refused a transaction for want of room, Chromium (156) may go on refusing whatever writes, a hundred bytes
   * and deletions with a note of them too, for as long as the database is open. A transaction that only deletes always
   * passes, even one that deletes nothing, and ends that.
   */
  async #clearRefusal(): Promise<void> {
    await this.#connection
      .run([TRASH], 'readwrite', 'relaxed', (transaction) => {
        transaction.objectStore(TRASH).delete(NO_NOTE)
        return () => undefined
      })
      .catch(() => undefined)
  }

  async close(): Promise<void> {
    this.#channel.close()
    await this.#connection.close()
  }
}

/** Sequence number of the last log page, 0 where there is none. */
function readLast(transaction: IDBTransaction, then: (last: number) => void): void {
  const request = transaction.objectStore(LOG).openKeyCursor(null, 'prev')
  request.onsuccess = () => then((request.result?.key as number | undefined) ?? 0)
}
