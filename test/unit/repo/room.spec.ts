import { describe, expect, it } from 'vitest'
import { createBlockSource } from '../../../src/core/content/block-source.ts'
import { createCollector } from '../../../src/core/repo/collector.ts'
import { createHeldRoots } from '../../../src/core/repo/held-roots.ts'
import { createRoom } from '../../../src/core/repo/room.ts'
import { createBlockstore, createMemoryBlockTable } from '../../../src/core/storage/index.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { randomBlocks, readAll } from '../../support/storage/blocks.ts'
import { held, putAll } from '../../support/storage/dags.ts'

/** A store of so many bytes that frees what nobody needs. */
async function kit(maxBytes: number) {
  const room = createRoom()
  const store = await createBlockstore(createMemoryBlockTable(undefined, { maxBytes }), room)
  const source = createBlockSource({ networked: store, local: store })
  const collector = createCollector({ uses: store.uses, source, pins: () => [], roots: createHeldRoots() })
  return { room, store, collector }
}

describe('room in the storage', () => {
  it('is made when a write finds none, once for all writes of a transaction', async () => {
    const { room, store, collector } = await kit(10_000)
    let evictions = 0
    room.by({
      evict(bytes) {
        evictions++
        expect(bytes).toBe(LIMITS.evictStepBytes)
        return collector.evict(bytes)
      },
    })
    const [old, young] = [await randomBlocks(9, 1000), await randomBlocks(5, 1000)]
    await putAll(store, old)
    await putAll(store, young)
    expect(held(store, young)).toBe(5)
    expect(evictions).toBe(1)
    for (const { cid, bytes } of young) expect(await readAll(store.get(cid))).toEqual(bytes)
  })

  it('is made for a file that is kept whole', async () => {
    const { room, store, collector } = await kit(10_000)
    room.by(collector)
    await putAll(store, await randomBlocks(9, 1000))
    const stored = await store.putFile(new File([new Uint8Array(5000)], 'name'))
    expect(stored?.blob.size).toBe(5000)
    expect(store.stat().blocks).toBe(0)
    await stored?.close()
  })

  it('is not made of what is arriving: the write fails with a code', async () => {
    const { room, store, collector } = await kit(10_000)
    room.by(collector)
    const arrival = collector.arrive()
    const blocks = await randomBlocks(9, 1000)
    await putAll(store, blocks)
    const [late] = await randomBlocks(1, 2000)
    await expect(store.put(late!.cid, late!.bytes)).rejects.toMatchObject({ code: 'ERR_QUOTA_EXCEEDED' })
    expect(held(store, blocks)).toBe(9)
    await arrival.keep()
    await store.put(late!.cid, late!.bytes)
  })

  it('is made ahead of need when the browser says that it runs out, and looked at now and then only', async () => {
    const estimates = [
      { usage: 500 * 2 ** 20, quota: 10 * 2 ** 30 },
      { usage: 990, quota: 1000 },
    ]
    let looks = 0
    const room = createRoom(async () => estimates[looks++])
    const wanted = Promise.withResolvers<number>()
    room.by({ evict: async (bytes) => (wanted.resolve(bytes), 1) })
    for (let at = 0; at < 63; at++) room.onWritten(2 ** 20)
    expect(looks).toBe(0)
    room.onWritten(2 ** 20)
    expect(looks).toBe(1)
    // Once that look is over.
    await new Promise((resolve) => setTimeout(resolve, 0))
    room.onWritten(LIMITS.roomCheckBytes)
    expect(await wanted.promise).toBe(1000 * LIMITS.reserveShare)
    expect(looks).toBe(2)
  })
})
