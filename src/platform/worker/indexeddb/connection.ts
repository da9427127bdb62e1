import { PocketError } from '../../../shared/errors.ts'
import { LIMITS } from '../../../shared/limits.ts'
import type { Durability } from '../../../core/ports.ts'
import { toStorageError } from './errors.ts'

export interface DatabaseLayout {
  name: string
  /**
   * Object stores that each version of the layout adds to the one before; the number of the database is the number of
   * steps. The store META_STORE comes with the first.
   */
  steps: readonly Readonly<Record<string, IDBObjectStoreParameters>>[]
}

/** Holds what tells one database from another of the same name, made after this one was deleted. */
export const META_STORE = 'meta'
const IDENTITY_KEY = 'id'

/**
 * One IndexedDB database kept open, with the quirks of all browsers handled in this one place:
 * - never opened, in private modes: rejects or throws, or (Safari 14, WebKit bug 226547) stays pending, so there is a time-out;
 * - `blocked`: an older connection is being asked to close and will; the same time-out bounds it;
 * - `versionchange`: another tab upgrades or deletes; this connection must close, or the other waits for ever;
 * - `close`: the browser ended the connection (storage cleared, disk gone);
 * - 'Connection to Indexed Database server lost' (iOS after suspension, WebKit bugs 197050 and 309386) and
 *   InvalidStateError: the connection is dead without an event.
 * After any of the last three the next use opens the database once more, and once only, then says ERR_STORAGE_LOST.
 */
export class Connection {
  readonly #layout: DatabaseLayout
  #database: Promise<IDBDatabase> | undefined
  #identity: unknown
  #closed = false

  private constructor(layout: DatabaseLayout) {
    this.#layout = layout
  }

  /** @throws ERR_STORAGE_UNAVAILABLE, ERR_STORAGE_VERSION (nothing is touched), ERR_QUOTA_EXCEEDED */
  static async open(layout: DatabaseLayout): Promise<Connection> {
    const connection = new Connection(layout)
    try {
      await connection.#open()
    } catch (error) {
      const { code, message } = toStorageError(error)
      const known = code === 'ERR_STORAGE_VERSION' || code === 'ERR_QUOTA_EXCEEDED'
      throw new PocketError(known ? code : 'ERR_STORAGE_UNAVAILABLE', known ? message : undefined, { cause: error })
    }
    return connection
  }

  /**
   * Runs one transaction; resolves after its commit to what `body` gave. `body` must make its requests at once, and may
   * run twice: the second time if the connection was lost in the first.
   * @throws ERR_QUOTA_EXCEEDED, ERR_STORAGE_LOST, ERR_STORAGE_VERSION, ERR_CLOSED
   */
  async run<T>(
    stores: string[],
    mode: IDBTransactionMode,
    durability: Durability,
    body: (transaction: IDBTransaction) => () => T,
  ): Promise<T> {
    try {
      return await this.#runOnce(stores, mode, durability, body)
    } catch (error) {
      const coded = toStorageError(error)
      if (coded.code !== 'ERR_STORAGE_LOST' || this.#closed) throw coded
    }
    try {
      return await this.#runOnce(stores, mode, durability, body)
    } catch (error) {
      throw toStorageError(error)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    const database = await this.#database?.catch(() => undefined)
    this.#database = undefined
    database?.close()
  }

  async #runOnce<T>(
    stores: string[],
    mode: IDBTransactionMode,
    durability: Durability,
    body: (transaction: IDBTransaction) => () => T,
  ): Promise<T> {
    if (this.#closed) throw new PocketError('ERR_CLOSED')
    const opening = (this.#database ??= this.#open())
    const database = await opening
    try {
      return await runTransaction(database.transaction(stores, mode, { durability }), body)
    } catch (error) {
      if (toStorageError(error).code === 'ERR_STORAGE_LOST') this.#forget(opening, database)
      throw error
    }
  }

  /** The next use opens the database anew. */
  #forget(opening: Promise<IDBDatabase>, database: IDBDatabase): void {
    if (this.#database === opening) this.#database = undefined
    database.close()
  }

  #open(): Promise<IDBDatabase> {
    const opening = openDatabase(this.#layout, this.#identity === undefined).then(async (database) => {
      const forget = () => this.#forget(opening, database)
      database.onversionchange = forget
      database.onclose = forget
      const identity = await readIdentity(database)
      this.#identity ??= identity
      if (this.#identity === identity && !this.#closed) return database
      database.close()
      throw new PocketError('ERR_STORAGE_LOST', 'The storage was deleted and made again by another tab')
    })
    this.#database = opening
    // Cache the promise, not its failure.
    opening.catch(() => {
      if (this.#database === opening) this.#database = undefined
    })
    return opening
  }
}

function openDatabase({ name, steps }: DatabaseLayout, create: boolean): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    // Firefox without storage throws in the getter or in open(), others have no indexedDB at all.
    const request = indexedDB.open(name, steps.length)
    let refusal: PocketError | undefined
    const timer = setTimeout(() => {
      refusal = new PocketError(
        'ERR_STORAGE_UNAVAILABLE',
        'The storage did not open; another tab may hold an old version',
      )
      reject(refusal)
    }, LIMITS.storageOpenTimeoutMs)
    request.onupgradeneeded = ({ oldVersion }) => {
      // A database that was there and is gone was deleted: a new empty one would pass for it.
      if (oldVersion === 0 && !create) refusal = new PocketError('ERR_STORAGE_LOST', 'The storage was deleted')
      else if (!hasLayout(request.result, steps.slice(0, oldVersion))) refusal = new PocketError('ERR_STORAGE_VERSION')
      if (refusal === undefined) migrate(request.result, oldVersion, steps)
      else request.transaction?.abort()
    }
    request.onsuccess = () => {
      clearTimeout(timer)
      if (!hasLayout(request.result, steps)) refusal = new PocketError('ERR_STORAGE_VERSION')
      if (refusal === undefined) return resolve(request.result)
      request.result.close()
      reject(refusal)
    }
    request.onerror = () => {
      clearTimeout(timer)
      reject(refusal ?? request.error ?? new PocketError('ERR_STORAGE_UNAVAILABLE'))
    }
  })
}

/** Whether a database has the object stores of these steps, no more and no less. Another app's has not. */
function hasLayout(database: IDBDatabase, steps: DatabaseLayout['steps']): boolean {
  const expected = steps.length === 0 ? [] : [META_STORE, ...steps.flatMap((step) => Object.keys(step))]
  const found = database.objectStoreNames
  return found.length === expected.length && expected.every((store) => found.contains(store))
}

function migrate(database: IDBDatabase, from: number, steps: DatabaseLayout['steps']): void {
  if (from === 0) database.createObjectStore(META_STORE).add(crypto.randomUUID(), IDENTITY_KEY)
  for (const step of steps.slice(from)) {
    for (const [store, parameters] of Object.entries(step)) database.createObjectStore(store, parameters)
  }
}

function readIdentity(database: IDBDatabase): Promise<unknown> {
  return runTransaction(database.transaction(META_STORE, 'readonly'), (transaction) => {
    const request: IDBRequest<unknown> = transaction.objectStore(META_STORE).get(IDENTITY_KEY)
    return () => request.result
  })
}

function runTransaction<T>(transaction: IDBTransaction, body: (transaction: IDBTransaction) => () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    let result: () => T
    let cause: unknown
    // Listeners, not handlers: idb-keyval sets `oncomplete` and `onabort` of the transactions that it is lent.
    transaction.addEventListener('complete', () => resolve(result()))
    transaction.addEventListener('abort', () => {
      // `error` is null where the browser aborted for the quota at commit (Firefox) or lost the connection.
      const error = cause ?? transaction.error ?? new DOMException('The transaction was aborted', 'AbortError')
      reject(error instanceof Error ? error : new Error('The transaction was aborted', { cause: error }))
    })
    try {
      result = body(transaction)
    } catch (error) {
      cause = error
      transaction.abort()
    }
  })
}
