import { describe, expect, it } from 'vitest'
import type { Transfer } from '../../../src/contract/node-api.ts'
import { createMemoryBlockTable, createMemoryStateTable } from '../../../src/core/storage/index.ts'
import { PocketError } from '../../../src/shared/errors.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { randomBytes, readAll, startNode, untilStatus } from '../../support/node/node.ts'
import { complete, until } from '../../support/node/transfers.ts'

/** What a kill leaves: everything after `cut` is neither read nor written. */
function cuttable<T extends object>(table: T): { table: T; cut: () => void } {
  let dead = false
  const proxy = new Proxy(table, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown =>
        dead ? new Promise(() => undefined) : (value.apply(target, args) as unknown)
    },
  })
  return { table: proxy, cut: () => (dead = true) }
}

describe('an add', () => {
  const size = 3 * LIMITS.minJournaledImport

  it('is a transfer as long as it runs, and in the journal as soon as its source is not needed any more', async () => {
    await using node = await startNode()
    const seen: Transfer[] = []
    node.transfers.watch((transfer) => seen.push(transfer))
    const progress: number[] = []
    const id = crypto.randomUUID()
    const { cid } = await node.add(new File([randomBytes(size)], 'big.bin'), {
      transfer: id,
      onProgress: ({ bytes }) => progress.push(bytes),
    })
    expect(seen.map(({ durable }) => durable)).toEqual([...seen.map(({ durable }) => durable)].sort())
    expect(seen[0]).toMatchObject({ id, kind: 'import', name: 'big.bin', state: 'running', durable: false })
    expect(await node.transfers.get(id)).toMatchObject({
      cid,
      state: 'complete',
      done: size,
      total: size,
      durable: true,
    })
    expect(progress.at(-1)).toBe(size)
    // What it went on from is not kept for ever.
    expect(await node.ports.state.get(`transfer:${id}`)).not.toHaveProperty('staged')
  })

  it('that is small leaves nothing in the journal', async () => {
    await using node = await startNode()
    await node.add(randomBytes(1000), { name: 'small' })
    expect(await node.transfers.list()).toEqual([])
    expect(await node.ports.state.entries('transfer:')).toEqual([])
  })

  it('goes on by itself when the node ends after its source was taken in', async () => {
    const expected = await cidOf(randomBytes(size))
    const { state, blocks, node, cut } = await startCuttable()
    const id = crypto.randomUUID()
    node.add(new File([randomBytes(size)], 'big.bin'), { name: 'Name', transfer: id }).catch(() => undefined)
    await until(node, id, ({ durable }) => durable)
    cut()
    await using next = await startNode({ ports: { state, blocks } })
    expect(await until(next, id, complete)).toMatchObject({ cid: expected, name: 'Name', done: size })
    const [pin] = await Array.fromAsync(next.pin.ls())
    expect(pin).toMatchObject({ cid: expected, name: 'Name', origin: 'added', size })
    expect((await readAll(next.cat(expected))).length).toBe(size)
  })

  it('waits paused for the next node with its stored copy, and goes on from that', async () => {
    await using first = await startNode()
    const id = crypto.randomUUID()
    first.add(new File([randomBytes(size)], 'big.bin'), { transfer: id }).catch(() => undefined)
    await until(first, id, ({ durable }) => durable)
    expect((await first.transfers.pause(id)).state).toBe('paused')
    await first.stop()
    const { state, blocks } = first.ports
    await using next = await startNode({ ports: { state, blocks } })
    expect((await next.transfers.get(id)).state).toBe('paused')
    await next.repo.gc()
    await next.transfers.resume(id)
    await until(next, id, complete)
  })

  it('that is cancelled as a transfer rejects and leaves nothing', async () => {
    await using node = await startNode()
    for (const isDurable of [false, true]) {
      const id = crypto.randomUUID()
      const adding = node.add(new File([randomBytes(size)], 'big.bin'), { transfer: id })
      const refused = expect(adding).rejects.toMatchObject({ code: 'ERR_ABORTED' })
      await until(node, id, ({ durable }) => durable === isDurable)
      await node.transfers.cancel(id)
      await refused
    }
    await node.repo.gc()
    expect(await node.repo.stat()).toMatchObject({ blocks: 0, bytes: 0, files: 0 })
  })

  it.each([
    ['cancels', 'ERR_ABORTED', 'cancelled'],
    ['is gone', 'ERR_CLOSED', 'complete'],
  ] as const)('whose caller %s is %s', async (_what, code, state) => {
    await using node = await startNode()
    const caller = new AbortController()
    const id = crypto.randomUUID()
    const adding = node.add(new File([randomBytes(size)], 'big.bin'), { transfer: id, signal: caller.signal })
    adding.catch(() => undefined)
    await until(node, id, ({ durable }) => durable)
    caller.abort(new PocketError(code))
    await until(node, id, (transfer) => transfer.state === state)
  })
})

async function cidOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  await using node = await startNode()
  return (await node.add(bytes)).cid
}

async function startCuttable() {
  const [state, blocks] = [createMemoryStateTable(), createMemoryBlockTable()]
  const [cutState, cutBlocks] = [cuttable(state), cuttable(blocks)]
  const node = await startNode({ ports: { state: cutState.table, blocks: cutBlocks.table } })
  // libp2p's peer store has locks for the whole process: cut while it starts, it would hold them for ever.
  await untilStatus(node, ({ state: now }) => now === 'running')
  const cut = (): void => {
    cutState.cut()
    cutBlocks.cut()
  }
  return { state, blocks, node, cut }
}
