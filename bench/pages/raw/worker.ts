/** What the browser can do with a file at best, without any library: read and hash it, store it, read it back. */
import { answer } from '../answer.ts'

const LEAF_BYTES = 1024 * 1024
const LEAVES_AT_ONCE = 8
/** What Chromium reads fastest, found by trying. */
const READ_BYTES = 16 * LEAF_BYTES
const READS_AT_ONCE = 4
const KEY = 'file'
const KEYS = 10_000

answer({
  async hash(file) {
    const start = performance.now()
    await eachSlice(file, LEAF_BYTES, LEAVES_AT_ONCE, async (bytes) => {
      await crypto.subtle.digest('SHA-256', bytes)
    })
    return performance.now() - start
  },

  async hashLarge(file) {
    const start = performance.now()
    await eachSlice(file, READ_BYTES, READS_AT_ONCE, async (bytes) => {
      for (let at = 0; at < bytes.byteLength; at += LEAF_BYTES) {
        await crypto.subtle.digest('SHA-256', new Uint8Array(bytes, at, Math.min(LEAF_BYTES, bytes.byteLength - at)))
      }
    })
    return performance.now() - start
  },

  /** Values under keys as long as a block's. */
  async putKeys() {
    const start = performance.now()
    for (let from = 0; from < KEYS; from += 500) {
      await write((store) => {
        for (let at = from; at < from + 500; at++) store.put(crypto.getRandomValues(new Uint8Array(1024)), keyOf(at))
      })
    }
    return performance.now() - start
  },

  async deleteKeys() {
    const start = performance.now()
    await write((store) => {
      for (let at = 0; at < KEYS; at++) store.delete(keyOf(at))
    })
    return performance.now() - start
  },

  async store(file) {
    const start = performance.now()
    const transaction = (await database()).transaction('files', 'readwrite', { durability: 'strict' })
    transaction.objectStore('files').put(file, KEY)
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error('aborted'))
    })
    return performance.now() - start
  },

  read: () => readStored(LEAF_BYTES, LEAVES_AT_ONCE),

  readLarge: () => readStored(8 * LEAF_BYTES, 2),
})

async function readStored(sliceBytes: number, atOnce: number): Promise<number> {
  const start = performance.now()
  const file = await result((await database()).transaction('files').objectStore('files').get(KEY))
  if (!(file instanceof Blob)) throw new Error('store first')
  let total = 0
  await eachSlice(file, sliceBytes, atOnce, async (bytes) => {
    total += bytes.byteLength
  })
  if (total !== file.size) throw new Error(`read ${total} of ${file.size} bytes`)
  return performance.now() - start
}

/** In the order in which hashes are: none. */
function keyOf(at: number): string {
  return (Math.imul(at + 1, 2654435761) >>> 0).toString(36).padStart(56, 'x')
}

async function write(body: (store: IDBObjectStore) => void): Promise<void> {
  const transaction = (await database()).transaction('files', 'readwrite', { durability: 'relaxed' })
  body(transaction.objectStore('files'))
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('aborted'))
  })
}

async function eachSlice(
  file: Blob,
  size: number,
  atOnce: number,
  visit: (bytes: ArrayBuffer) => Promise<void>,
): Promise<void> {
  let next = 0
  const reader = async (): Promise<void> => {
    while (next < file.size) {
      const at = next
      next += size
      await visit(await file.slice(at, Math.min(at + size, file.size)).arrayBuffer())
    }
  }
  await Promise.all(Array.from({ length: atOnce }, reader))
}

let opened: Promise<IDBDatabase> | undefined

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('raw', 1)
    request.onupgradeneeded = () => request.result.createObjectStore('files')
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('no database'))
  })
  return opened
}

function result(request: IDBRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('failed'))
  })
}
