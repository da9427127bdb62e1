import { del, get, set, type UseStore } from 'idb-keyval'
import type { Durability, StateTable } from '../../../core/ports.ts'
import { Connection, type DatabaseLayout } from './connection.ts'

const STATE = 'state'

const layout = (name: string): DatabaseLayout => ({ name, steps: [{ [STATE]: {} }] })

export interface StateTableOptions {
  /** Name of the database. */
  name?: string
}

/**
 * Small state in IndexedDB through idb-keyval, in a database of its own. `set` and `delete` are flushed to the disk:
 * they are few, and an identity must not be lost.
 * @throws ERR_STORAGE_UNAVAILABLE (the caller goes on with `createMemoryStateTable`), ERR_STORAGE_VERSION, ERR_QUOTA_EXCEEDED
 */
export async function openStateTable({ name = 'pocket-state' }: StateTableOptions = {}): Promise<StateTable> {
  return new IndexedDbStateTable(await Connection.open(layout(name)))
}

class IndexedDbStateTable implements StateTable {
  readonly #connection: Connection
  /** What idb-keyval's own createStore would be, with the version stamp and the reopening that it lacks. */
  readonly #store: UseStore

  constructor(connection: Connection) {
    this.#connection = connection
    this.#store = async (mode, callback) => {
      const result = await connection.run([STATE], mode, 'strict', (transaction) => {
        const running = Promise.resolve(callback(transaction.objectStore(STATE)))
        // When the transaction fails, the connection has the better error and may try again.
        running.catch(() => undefined)
        // Wrapped: a bare promise would be awaited on the way.
        return () => ({ running })
      })
      return result.running
    }
  }

  get(key: string): Promise<unknown> {
    return get<unknown>(key, this.#store)
  }

  set(key: string, value: unknown): Promise<void> {
    return set(key, value, this.#store)
  }

  delete(key: string): Promise<void> {
    return del(key, this.#store)
  }

  batch(set: [key: string, value: unknown][], remove: string[], durability: Durability): Promise<void> {
    return this.#connection.run([STATE], 'readwrite', durability, (transaction) => {
      const store = transaction.objectStore(STATE)
      for (const key of remove) store.delete(key)
      for (const [key, value] of set) store.put(value, key)
      return () => undefined
    })
  }

  entries(prefix: string): Promise<[key: string, value: unknown][]> {
    return this.#connection.run([STATE], 'readonly', 'relaxed', (transaction) => {
      const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`)
      const keys = transaction.objectStore(STATE).getAllKeys(range)
      const values = transaction.objectStore(STATE).getAll(range)
      return () =>
        (values.result as unknown[]).map((value, at) => [keys.result[at] as string, value] as [string, unknown])
    })
  }

  close(): Promise<void> {
    return this.#connection.close()
  }
}
