import { onTestFinished } from 'vitest'
import { createBlockstore } from '../../../src/core/storage/index.ts'
import { openBlockTable } from '../../../src/platform/worker/indexeddb/index.ts'

/** A database of this test alone. */
export function freshName(): string {
  const name = crypto.randomUUID()
  onTestFinished(() => void indexedDB.deleteDatabase(name))
  return name
}

export async function openStore(name: string) {
  const store = await createBlockstore(await openBlockTable({ name }))
  onTestFinished(() => store.close())
  return store
}

/** The database as anybody else would open it. */
export function openRaw(
  name: string,
  version?: number,
  upgrade?: (database: IDBDatabase) => void,
): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version)
    request.onupgradeneeded = () => upgrade?.(request.result)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('not opened'))
  })
}

export function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('failed'))
  })
}

/** Runs `work` with another global `indexedDB`. */
export async function withIndexedDb(replacement: { value: unknown }, work: () => Promise<void>): Promise<void> {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB')
  if (own === undefined) throw new Error('no indexedDB to replace')
  Object.defineProperty(globalThis, 'indexedDB', { ...replacement, configurable: true })
  try {
    await work()
  } finally {
    Object.defineProperty(globalThis, 'indexedDB', own)
  }
}
