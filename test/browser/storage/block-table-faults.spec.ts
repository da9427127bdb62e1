import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { keyOf } from '../../../src/core/storage/keys.ts'
import { encodePage } from '../../../src/core/storage/log-page.ts'
import { openBlockTable } from '../../../src/platform/worker/indexeddb/index.ts'
import { randomBlock, readAll } from '../../support/storage/blocks.ts'
import { done, freshName, openRaw, openStore, withIndexedDb } from '../../support/storage/databases.ts'

describe('blocks in IndexedDB', () => {
  it('go on after the browser has closed the connection', async () => {
    const name = freshName()
    const store = await openStore(name)
    const { cid, bytes } = await randomBlock()
    await store.put(cid, bytes)
    // Another tab upgrades to no newer layout than ours: opens, makes the connection close, and gives up.
    const request = indexedDB.open(name, 1000)
    await new Promise<void>((resolve) => {
      request.onupgradeneeded = () => request.transaction?.abort()
      request.onerror = (event) => {
        event.preventDefault()
        resolve()
      }
    })
    expect(await readAll(store.get(cid))).toEqual(bytes)
    const next = await randomBlock()
    await store.put(next.cid, next.bytes)
    expect(store.stat().blocks).toBe(2)
  })

  it('open the database once more when the connection is lost, and only once', async () => {
    const name = freshName()
    const store = await openStore(name)
    const { cid, bytes } = await randomBlock()
    await store.put(cid, bytes)
    // WebKit throws this after a suspension; nothing here can make it.
    const lost = () => new DOMException('Connection to Indexed Database server lost. Refresh the page to try again', 'UnknownError') // prettier-ignore
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction')
    onTestFinished(() => transaction.mockRestore())
    const failOnce = () => {
      throw lost()
    }
    transaction.mockImplementationOnce(failOnce)
    expect(await readAll(store.get(cid))).toEqual(bytes)
    const next = await randomBlock()
    transaction.mockImplementationOnce(failOnce)
    await store.put(next.cid, next.bytes)
    expect(store.stat().blocks).toBe(2)
    transaction.mockImplementation(failOnce)
    await expect(readAll(store.get(cid))).rejects.toMatchObject({ code: 'ERR_STORAGE_LOST' })
    const last = await randomBlock()
    await expect(store.put(last.cid, last.bytes)).rejects.toMatchObject({ code: 'ERR_STORAGE_LOST' })
    transaction.mockRestore()
    expect(await store.has(last.cid)).toBe(false)
    expect(await readAll(store.get(next.cid))).toEqual(next.bytes)
  })

  it('let a newer version of the app upgrade, and say so from then on', async () => {
    const name = freshName()
    const store = await openStore(name)
    const { cid, bytes } = await randomBlock()
    await store.put(cid, bytes)
    const newer = await openRaw(name, 1000, (database) => void database.createObjectStore('of the future'))
    await expect(readAll(store.get(cid))).rejects.toMatchObject({ code: 'ERR_STORAGE_VERSION' })
    await expect(openBlockTable({ name })).rejects.toMatchObject({ code: 'ERR_STORAGE_VERSION' })
    expect(newer.version).toBe(1000)
    expect(await done(newer.transaction('blocks').objectStore('blocks').count())).toBe(1)
    newer.close()
  })

  it('come over from the first layout', async () => {
    const name = freshName()
    const { cid, bytes } = await randomBlock()
    const key = keyOf(cid.multihash.bytes)
    const old = await openRaw(name, 1, (database) => {
      database.createObjectStore('meta').add('some id', 'id')
      database.createObjectStore('files', { autoIncrement: true })
      database.createObjectStore('blocks').add(bytes, key)
      const location = { size: bytes.byteLength, file: 0, offset: 0 }
      database
        .createObjectStore('log', { autoIncrement: true })
        .add(encodePage([{ multihash: cid.multihash.bytes, location }]))
    })
    old.close()
    const store = await openStore(name)
    expect(await readAll(store.get(cid))).toEqual(bytes)
    await store.delete(cid)
    expect(store.stat().blocks).toBe(0)
    const raw = await openRaw(name)
    await expect.poll(() => done(raw.transaction('blocks').objectStore('blocks').count())).toBe(0)
    raw.close()
  })

  it('refuse a database that is not ours, and leave it as it is', async () => {
    const name = freshName()
    const foreign = await openRaw(name, 1, (database) => void database.createObjectStore('theirs').add('value', 'key'))
    foreign.close()
    await expect(openBlockTable({ name })).rejects.toMatchObject({ code: 'ERR_STORAGE_VERSION' })
    const again = await openRaw(name)
    expect([...again.objectStoreNames]).toEqual(['theirs'])
    again.close()
  })

  it('are lost, and say so, when the database is deleted under them', async () => {
    const name = freshName()
    const store = await openStore(name)
    const { cid, bytes } = await randomBlock()
    await store.put(cid, bytes)
    await done(indexedDB.deleteDatabase(name))
    await expect(readAll(store.get(cid))).rejects.toMatchObject({ code: 'ERR_STORAGE_LOST' })
    expect((await indexedDB.databases()).map((database) => database.name)).not.toContain(name)
    // Nor does one that was made again pass for it.
    const fresh = await openStore(name)
    expect(fresh.stat().blocks).toBe(0)
    const other = await randomBlock()
    await expect(store.put(other.cid, other.bytes)).rejects.toMatchObject({ code: 'ERR_STORAGE_LOST' })
    expect(fresh.stat().blocks).toBe(0)
  })

  it('are unavailable where IndexedDB is missing or throws', async () => {
    const unavailable = { code: 'ERR_STORAGE_UNAVAILABLE' }
    await withIndexedDb({ value: undefined }, async () => {
      await expect(openBlockTable()).rejects.toMatchObject(unavailable)
    })
    const open = () => {
      throw new DOMException('A mutation operation was attempted', 'InvalidStateError')
    }
    await withIndexedDb({ value: { open } }, async () => {
      await expect(openBlockTable()).rejects.toMatchObject(unavailable)
    })
    await (await openBlockTable({ name: freshName() })).close()
  })
})
