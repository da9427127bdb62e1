import type { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { createBlockSource } from '../../../src/core/content/block-source.ts'
import { verifyRepo } from '../../../src/core/repo/verify.ts'
import { createBlockstore, createMemoryBlockTable, type PocketBlockstore } from '../../../src/core/storage/index.ts'
import { PocketError } from '../../../src/shared/errors.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { randomBlocks, type TestBlock } from '../../support/storage/blocks.ts'
import { held, makeDag, putAll } from '../../support/storage/dags.ts'

/** A store, and a network that has `elsewhere`. */
async function kit(elsewhere: TestBlock[] = []) {
  const store = await createBlockstore(createMemoryBlockTable())
  const asked: string[] = []
  const networked = {
    async *get(cid: CID) {
      asked.push(cid.toString())
      const block = elsewhere.find((one) => Buffer.compare(one.cid.multihash.bytes, cid.multihash.bytes) === 0)
      if (block === undefined) throw new PocketError('ERR_NOT_FOUND')
      await store.put(cid, block.bytes)
      yield block.bytes
    },
  }
  const pins: CID[] = []
  const source = createBlockSource({ networked, local: store })
  return { store, asked, pins, init: { blocks: store, source, pins: () => pins.map(String) } }
}

function without(blocks: TestBlock[], ...places: number[]): TestBlock[] {
  return blocks.filter((_, at) => !places.includes(at))
}

/** Others than were asked for, as a put without a check lets in. */
async function putDamaged(store: PocketBlockstore, block: TestBlock): Promise<void> {
  await store.put(block.cid, block.bytes.map((byte) => byte ^ 1)) // prettier-ignore
}

describe('verifying the store', () => {
  it('finds nothing wrong where nothing is', async () => {
    const { store, pins, asked, init } = await kit()
    const dag = await makeDag()
    await putAll(store, dag.blocks)
    pins.push(dag.root)
    const checked: number[] = []
    const report = await verifyRepo(init, { repair: true, onProgress: (progress) => checked.push(progress.checked) })
    const { length } = dag.blocks
    expect(report).toEqual({
      checked: length,
      damaged: [],
      damagedCount: 0,
      missing: [],
      missingCount: 0,
      repaired: 0,
    })
    expect(checked.at(-1)).toBe(length)
    expect(asked).toEqual([])
  })

  it('names what is damaged and what is missing below a pin, each once, and asks nobody unasked', async () => {
    const { store, pins, asked, init } = await kit()
    const dag = await makeDag(8)
    const { blocks } = dag
    await putAll(store, without(blocks, 1, 9, 10))
    await putDamaged(store, blocks[10]!)
    const other = await makeDag(blocks.slice(3))
    await putAll(store, other.blocks.slice(0, 1))
    pins.push(dag.root, other.root)
    const report = await verifyRepo(init)
    expect(report.damaged).toEqual([blocks[10]!.cid.toString()])
    // The node on the left is missing under both roots. What it leads to is not looked for.
    expect(new Set(report.missing)).toEqual(new Set([blocks[1]!.cid.toString(), blocks[9]!.cid.toString()]))
    expect(report).toMatchObject({ damagedCount: 1, missingCount: 2, repaired: 0 })
    expect(asked).toEqual([])
  })

  it('asks for what is wrong, and for what turns out to be missing below that', async () => {
    const dag = await makeDag(8)
    const { blocks } = dag
    const { store, pins, init } = await kit(blocks)
    await putAll(store, without(blocks, 1, 3, 4, 10))
    await putDamaged(store, blocks[10]!)
    const [stray] = await randomBlocks(1)
    await putDamaged(store, stray!)
    pins.push(dag.root)
    const report = await verifyRepo(init, { repair: true })
    expect(report).toMatchObject({ damagedCount: 2, missingCount: 3, repaired: 4 })
    expect(held(store, blocks)).toBe(blocks.length)
    expect(await verifyRepo(init)).toMatchObject({ damagedCount: 1, damaged: [stray!.cid.toString()], missingCount: 0 })
    expect(store.has(stray!.cid)).toBe(false)
  })

  it('gives up when nobody gives anything, and names no more than it says', async () => {
    const { store, asked, init } = await kit()
    const blocks = await randomBlocks(LIMITS.maxReportCids + 50, 20)
    for (const block of blocks) await putDamaged(store, block)
    const report = await verifyRepo(init, { repair: true })
    expect(report).toMatchObject({ checked: blocks.length, damagedCount: blocks.length, repaired: 0 })
    expect(report.damaged).toHaveLength(LIMITS.maxReportCids)
    expect(asked.length).toBeLessThanOrEqual(2 * LIMITS.verifyWindow)
  })

  it('stops when it is cancelled', async () => {
    const { store, init } = await kit()
    await putAll(store, await randomBlocks(200, 20))
    const abort = new AbortController()
    abort.abort()
    await expect(verifyRepo(init, { signal: abort.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  })
})
