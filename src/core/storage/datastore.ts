import { BaseDatastore } from 'datastore-core/base'
import type { Batch, Datastore, KeyQuery, Pair, Query } from 'interface-datastore'
import { Key } from 'interface-datastore/key'
import { NotFoundError } from 'interface-store'
import { toPocketError } from '../../shared/errors.ts'
import type { StateTable } from '../ports.ts'
import type { StoreOptions } from './types.ts'

/** Keeps the datastore's keys apart from the node's own state. */
const PREFIX = 'datastore:'

/**
 * libp2p's and Helia's Datastore on the state table. Whatever arrives while a transaction commits goes into the next one,
 * so a peer store that notes a hundred addresses at once makes two transactions. Writes resolve after the commit and
 * are readable at once. `get` of a missing key throws interface-store's NotFoundError as the interface asks.
 */
export function createDatastore(state: StateTable): Datastore {
  return new StateDatastore(state)
}

type Change = { key: string; value?: Uint8Array }

class StateDatastore extends BaseDatastore {
  readonly #state: StateTable
  /** Not committed yet; the last change of a key. */
  readonly #pending = new Map<string, Change>()
  #gathering: { changes: Change[]; done: Promise<void> } | undefined
  #committing: Promise<void> = Promise.resolve()

  constructor(state: StateTable) {
    super()
    this.#state = state
  }

  override async put(key: Key, value: Uint8Array, options: StoreOptions = {}): Promise<Key> {
    options.signal?.throwIfAborted()
    await this.#change([{ key: key.toString(), value: value.slice() }])
    return key
  }

  override async delete(key: Key, options: StoreOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    await this.#change([{ key: key.toString() }])
  }

  override async get(key: Key, options: StoreOptions = {}): Promise<Uint8Array> {
    options.signal?.throwIfAborted()
    const value = await this.#read(key.toString())
    if (value === undefined) throw new NotFoundError()
    return value
  }

  override async has(key: Key, options: StoreOptions = {}): Promise<boolean> {
    options.signal?.throwIfAborted()
    return (await this.#read(key.toString())) !== undefined
  }

  /** One transaction, all or nothing. */
  override batch(): Batch {
    let changes: Change[] = []
    return {
      put: (key, value) => void changes.push({ key: key.toString(), value: value.slice() }),
      delete: (key) => void changes.push({ key: key.toString() }),
      commit: async (options: StoreOptions = {}) => {
        options.signal?.throwIfAborted()
        const all = changes
        changes = []
        if (all.length > 0) await this.#change(all)
      },
    }
  }

  override async *_all({ prefix = '' }: Query, options: StoreOptions = {}): AsyncGenerator<Pair> {
    options.signal?.throwIfAborted()
    const stored = await this.#state.entries(PREFIX + prefix).catch(rethrow)
    const found = new Map(stored.map(([key, value]) => [key.slice(PREFIX.length), value as Uint8Array | undefined]))
    for (const { key, value } of this.#pending.values()) if (key.startsWith(prefix)) found.set(key, value)
    for (const [key, value] of found) {
      options.signal?.throwIfAborted()
      if (value !== undefined) yield { key: new Key(key, false), value }
    }
  }

  override async *_allKeys({ prefix = '' }: KeyQuery, options: StoreOptions = {}): AsyncGenerator<Key> {
    for await (const { key } of this._all({ prefix }, options)) yield key
  }

  async #read(key: string): Promise<Uint8Array | undefined> {
    const pending = this.#pending.get(key)
    if (pending !== undefined) return pending.value?.slice()
    return (await this.#state.get(PREFIX + key).catch(rethrow)) as Uint8Array | undefined
  }

  #change(changes: Change[]): Promise<void> {
    for (const change of changes) this.#pending.set(change.key, change)
    if (this.#gathering !== undefined) {
      this.#gathering.changes.push(...changes)
      return this.#gathering.done
    }
    const gathering = { changes, done: this.#committing.then(() => this.#commit()) }
    this.#gathering = gathering
    this.#committing = gathering.done.catch(() => undefined)
    return gathering.done
  }

  async #commit(): Promise<void> {
    const changes = this.#gathering?.changes ?? []
    this.#gathering = undefined
    const last = new Map(changes.map((change) => [change.key, change]))
    const set: [string, Uint8Array][] = []
    const remove: string[] = []
    for (const { key, value } of last.values()) {
      if (value === undefined) remove.push(PREFIX + key)
      else set.push([PREFIX + key, value])
    }
    try {
      await this.#state.batch(set, remove, 'relaxed').catch(rethrow)
    } finally {
      for (const change of changes) if (this.#pending.get(change.key) === change) this.#pending.delete(change.key)
    }
  }
}

function rethrow(error: unknown): never {
  throw toPocketError(error, 'ERR_STORAGE_LOST')
}
