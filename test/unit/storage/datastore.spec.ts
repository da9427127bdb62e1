import { describe, expect, it } from 'vitest'
import { Key } from 'interface-datastore/key'
import { createDatastore, createMemoryStateTable } from '../../../src/core/storage/index.ts'
import type { StateTable } from '../../../src/core/ports.ts'
import { PocketError } from '../../../src/shared/errors.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

async function collect<T>(source: Iterable<T> | AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

/** A state table that counts its transactions and can refuse them. */
function countedState() {
  const state = createMemoryStateTable()
  const seen = { batches: 0, failing: false }
  const counted: StateTable = {
    get: (key) => state.get(key),
    set: (key, value) => state.set(key, value),
    delete: (key) => state.delete(key),
    entries: (prefix) => state.entries(prefix),
    close: () => state.close(),
    batch: (set, remove, durability) => {
      seen.batches++
      if (seen.failing) return Promise.reject(new PocketError('ERR_QUOTA_EXCEEDED'))
      return state.batch(set, remove, durability)
    },
  }
  return { state: counted, seen }
}

describe('datastore', () => {
  it('puts, gets, deletes, and says what is missing', async () => {
    const store = createDatastore(createMemoryStateTable())
    const key = new Key('/peers/one')
    await store.put(key, bytes('1'))
    expect(await store.get(key)).toEqual(bytes('1'))
    expect(await store.has(key)).toBe(true)
    await store.delete(key)
    expect(await store.has(key)).toBe(false)
    await expect(Promise.resolve(store.get(key))).rejects.toMatchObject({ name: 'NotFoundError' })
  })

  it('gathers a flood into few transactions, readable before they commit', async () => {
    const { state, seen } = countedState()
    const store = createDatastore(state)
    const puts = Array.from({ length: 500 }, async (_, at) => {
      await store.put(new Key(`/peers/${at}`), bytes(String(at)))
    })
    expect(await store.get(new Key('/peers/499'))).toEqual(bytes('499'))
    expect(await collect(store.query({ prefix: '/peers' }))).toHaveLength(500)
    await Promise.all(puts)
    expect(seen.batches).toBeLessThanOrEqual(2)
    expect(await collect(createDatastore(state).queryKeys({ prefix: '/peers/49' }))).toHaveLength(11)
  })

  it('keeps the last of several changes to a key', async () => {
    const state = createMemoryStateTable()
    const store = createDatastore(state)
    const key = new Key('/a')
    const first = [store.put(key, bytes('1')), store.delete(key)]
    await store.put(key, bytes('2'))
    for (const change of first) await change
    expect(await createDatastore(state).get(key)).toEqual(bytes('2'))
    const put = store.put(key, bytes('3'))
    await store.delete(key)
    await put
    expect(await createDatastore(state).has(key)).toBe(false)
  })

  it('commits a batch as one, in its order', async () => {
    const { state, seen } = countedState()
    const store = createDatastore(state)
    await store.put(new Key('/gone'), bytes('x'))
    const before = seen.batches
    const batch = store.batch()
    batch.put(new Key('/a'), bytes('a'))
    batch.delete(new Key('/gone'))
    expect(await store.has(new Key('/a'))).toBe(false)
    await batch.commit()
    expect(seen.batches).toBe(before + 1)
    expect((await collect(store.queryKeys({}))).map(String)).toEqual(['/a'])
  })

  it('rejects what was not stored, and forgets it', async () => {
    const { state, seen } = countedState()
    const store = createDatastore(state)
    seen.failing = true
    await expect(store.put(new Key('/a'), bytes('a'))).rejects.toMatchObject({ code: 'ERR_QUOTA_EXCEEDED' })
    expect(await store.has(new Key('/a'))).toBe(false)
    seen.failing = false
    await store.put(new Key('/a'), bytes('a'))
    expect(await store.has(new Key('/a'))).toBe(true)
  })

  it('keeps its keys apart from the state of the node', async () => {
    const state = createMemoryStateTable()
    await state.set('identity', 'secret')
    const store = createDatastore(state)
    await store.put(new Key('/identity'), bytes('a'))
    expect(await collect(store.queryKeys({}))).toHaveLength(1)
    expect(await state.get('identity')).toBe('secret')
  })
})
