import { describe, expect, it } from 'vitest'
import { BlockIndex } from '../../../src/core/storage/block-index.ts'
import { applyPage, encodePage, snapshotPages } from '../../../src/core/storage/log-page.ts'

function multihash(code = 0x12, length = 32): Uint8Array {
  return Uint8Array.from([code, length, ...crypto.getRandomValues(new Uint8Array(length))])
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('block index', () => {
  it('does what a Map does, through thousands of random changes', () => {
    const index = new BlockIndex()
    const model = new Map<string, { multihash: Uint8Array; size: number }>()
    const known: Uint8Array[] = []
    for (let step = 0; step < 20_000; step++) {
      if (known.length === 0 || Math.random() < 0.4) known.push(multihash(Math.random() < 0.02 ? 0x13 : 0x12))
      const key = known[Math.floor(Math.random() * known.length)]!
      if (Math.random() < 0.5) {
        const size = Math.floor(Math.random() * 1000)
        index.set(key, { size, file: 0, offset: 0 })
        model.set(hex(key), { multihash: key, size })
      } else {
        index.delete(key)
        model.delete(hex(key))
      }
    }
    for (const key of known) {
      expect(index.get(key)?.size).toBe(model.get(hex(key))?.size)
      expect(index.has(key)).toBe(model.has(hex(key)))
    }
    expect(index.blocks).toBe(model.size)
    expect(index.bytes).toBe([...model.values()].reduce((sum, { size }) => sum + size, 0))
    expect(new Set(Array.from(index.entries(), (entry) => hex(entry.multihash)))).toEqual(new Set(model.keys()))
  })

  it('visits every block that stays while others are deleted on the way', () => {
    const index = new BlockIndex()
    for (let at = 0; at < 1000; at++) index.set(multihash(), { size: at, file: 0, offset: 0 })
    const seen = new Set<number>()
    for (const { multihash: key, location } of index.entries()) {
      seen.add(location.size)
      if (location.size % 3 === 0) index.delete(key)
    }
    expect(seen.size).toBe(1000)
    expect(index.blocks).toBe(666)
  })

  it('counts the references of a file', () => {
    const index = new BlockIndex()
    const keys = [multihash(), multihash(), multihash()]
    keys.forEach((key, at) => index.set(key, { size: 10, file: 7, offset: at * 10 }))
    expect(index.files.get(7)).toEqual({ refs: 3, bytes: 30 })
    index.set(keys[0]!, { size: 10, file: 0, offset: 0 })
    index.delete(keys[1]!)
    expect(index.files.get(7)).toEqual({ refs: 1, bytes: 10 })
    index.delete(keys[2]!)
    expect(index.files.has(7)).toBe(false)
  })

  it('comes back from its pages', () => {
    const index = new BlockIndex()
    for (let at = 0; at < 10_000; at++) {
      index.set(multihash(at % 100 === 0 ? 0x13 : 0x12), {
        size: at,
        file: at % 3,
        offset: at % 3 === 0 ? 0 : at * 2 ** 22,
      })
    }
    const pages = [...snapshotPages(index)]
    expect(pages.length).toBe(3)
    const copy = new BlockIndex()
    copy.set(multihash(), { size: 1, file: 0, offset: 0 })
    for (const page of pages) applyPage(copy, page)
    expect(copy.blocks).toBe(index.blocks)
    expect(copy.bytes).toBe(index.bytes)
    expect(copy.files).toEqual(index.files)
    for (const { multihash: key, location } of index.entries()) expect(copy.get(key)).toEqual(location)
  })

  it('refuses a page of a later layout', () => {
    const page = encodePage([{ multihash: multihash() }])
    page[0] = 99
    expect(() => applyPage(new BlockIndex(), page)).toThrow(expect.objectContaining({ code: 'ERR_STORAGE_VERSION' }))
    expect(() => applyPage(new BlockIndex(), new Uint8Array(0))).toThrow(/another version/)
  })
})
