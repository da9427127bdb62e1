import { describe, expect, it, onTestFinished } from 'vitest'
import { openStateTable } from '../../../src/platform/worker/indexeddb/index.ts'

async function open(name: string) {
  const table = await openStateTable({ name })
  onTestFinished(() => table.close())
  return table
}

describe('state in IndexedDB', () => {
  it('keeps structured values over closing and opening again', async () => {
    const name = crypto.randomUUID()
    const table = await open(name)
    await table.set('a:1', { at: new Date(0), bytes: new Uint8Array([1, 2]) })
    await table.set('a:2', 2)
    await table.delete('a:2')
    expect(await table.get('a:2')).toBeUndefined()
    await table.close()
    await expect(table.get('a:1')).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    expect(await (await open(name)).get('a:1')).toEqual({ at: new Date(0), bytes: new Uint8Array([1, 2]) })
  })

  it('lists by prefix and changes many at once or none', async () => {
    const table = await open(crypto.randomUUID())
    await table.set('a:gone', 0)
    await table.batch([['a:1', 1], ['a:2', 2], ['b:1', 3]], ['a:gone'], 'relaxed') // prettier-ignore
    expect(await table.entries('a:')).toEqual([['a:1', 1], ['a:2', 2]]) // prettier-ignore
    const uncloneable = () => undefined
    await expect(table.batch([['a:3', 3], ['a:4', uncloneable]], ['a:1'], 'strict')).rejects.toMatchObject({ code: 'ERR_INTERNAL' }) // prettier-ignore
    await expect(table.set('a:4', uncloneable)).rejects.toMatchObject({ code: 'ERR_INTERNAL' })
    expect(await table.entries('')).toHaveLength(3)
  })

  it('refuses a database of another version, untouched', async () => {
    const name = crypto.randomUUID()
    const newer = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(name, 7)
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error ?? new Error('not opened'))
    })
    newer.close()
    await expect(openStateTable({ name })).rejects.toMatchObject({ code: 'ERR_STORAGE_VERSION' })
  })
})
