import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { createMemoryBlockTable } from '../../../src/core/storage/index.ts'
import { createStore, type Store } from '../../support/node/fetching.ts'
import { startGateway, type TestGateway } from '../../support/node/gateway.ts'
import { randomBytes, readAll, startNode, untilStatus, type TestNode } from '../../support/node/node.ts'
import { startRelay } from '../../support/node/relay.ts'

async function reachable(node: TestNode): Promise<string[]> {
  await untilStatus(node, (status) => status.reachable)
  return (await node.id()).multiaddrs.filter((addr) => addr.includes('/p2p-circuit'))
}

/** A table of which the n-th value can be changed behind the store's back; it keeps no files, so that all are values. */
function fragile() {
  const table = createMemoryBlockTable()
  table.putFile = () => Promise.reject(new Error('no files here'))
  return {
    table,
    async flip(at: number): Promise<void> {
      for await (const keys of table.keys()) {
        const key = keys[at] ?? ''
        const [value] = await table.getMany([key])
        value![0] = value![0]! ^ 1
        await table.write({ blocks: [{ key, value: value! }] }, 'relaxed')
      }
    },
  }
}

/** A gateway that brings all of a file but its last block: it is under way until somebody stops it. */
async function stuckGateway(from: Store, file: CID): Promise<TestGateway> {
  const last = dagPb.decode(await from.source.getLocal(file)).Links.at(-1)?.Hash
  return startGateway({
    getLocal: (cid) => (last?.equals(cid) === true ? new Promise(() => undefined) : from.source.getLocal(cid)),
  })
}

describe('looking after the store of a node', () => {
  it('tells at once what is there, and frees what was only looked at', async () => {
    await using relay = await startRelay()
    await using alice = await startNode({ relays: [relay.addr] })
    await using bob = await startNode({
      ports: { estimate: async () => ({ usage: 5, quota: 10 }) },
    })
    const bytes = randomBytes(3_000_000)
    const { cid } = await alice.add(new File([bytes], 'file'))
    const kept = await bob.add(new File([randomBytes(2_000_000, 2)], 'kept'))
    expect(await bob.repo.stat()).toEqual({
      blocks: 3,
      bytes: expect.any(Number) as number,
      files: 1,
      pinned: 1,
      kind: 'memory',
      usage: 5,
      quota: 10,
    })
    await reachable(alice)
    await bob.open((await alice.share(cid, { appUrl: 'http://localhost' })).url)
    expect((await readAll(bob.cat(cid))).length).toBe(bytes.length)
    const { blocks } = await bob.repo.stat()
    expect(blocks).toBeGreaterThan(3)
    expect((await bob.repo.gc()).blocks).toBe(blocks - 3)
    expect(await bob.stat(kept.cid)).toMatchObject({ local: { complete: true } })
    // The owner keeps serving what is pinned.
    expect(await alice.repo.gc()).toEqual({ blocks: 0, bytes: 0 })
  })

  it('finds a value that has changed, does not serve it, and gets it from another node', async () => {
    await using relay = await startRelay()
    await using alice = await startNode({ relays: [relay.addr] })
    const bytes = randomBytes(3_000_000)
    const { cid } = await alice.add(new File([bytes], 'file'))
    await reachable(alice)
    const { url } = await alice.share(cid, { appUrl: 'http://localhost' })
    const { table, ...value } = fragile()
    await using bob = await startNode({ ports: { blocks: table } })
    await bob.open(url)
    await bob.pin.add(cid)
    await value.flip(1)
    await value.flip(2)
    expect(await bob.repo.verify()).toMatchObject({ checked: 4, damagedCount: 2, missingCount: 0, repaired: 0 })
    expect(await bob.stat(cid)).toMatchObject({ local: { complete: false } })
    expect(await bob.repo.verify({ repair: true })).toMatchObject({ damagedCount: 2, repaired: 2 })
    await alice.stop()
    expect(Buffer.compare(await readAll(bob.cat(cid)), bytes)).toBe(0)
    expect(await bob.repo.verify()).toMatchObject({ checked: 4, damagedCount: 0 })
  })

  it('keeps nothing of a pin.add that its caller cancels, and all that something else needs', async () => {
    const from = await createStore()
    const shared = new File([randomBytes(1_500_000, 4)], 'shared')
    const large = new File([randomBytes(20_000_000)], 'large')
    const cid = await from.add([
      { path: 'folder/shared', content: shared },
      { path: 'folder/large', content: large },
    ])
    await using gateway = await stuckGateway(from, await from.add(large))
    await using bob = await startNode()
    await bob.add(shared)
    const before = await bob.repo.stat()
    const stop = new AbortController()
    const adding = bob.pin.add(cid.toString(), {
      from: [gateway.url],
      signal: stop.signal,
      onProgress: ({ bytes }) => bytes > 5_000_000 && stop.abort(),
    })
    await expect(adding).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    expect(await bob.repo.stat()).toEqual(before)
  })

  it('keeps nothing of a transfer that is cancelled, and all of it while that is paused', async () => {
    const from = await createStore()
    const cid = await from.add(randomBytes(20_000_000))
    await using gateway = await stuckGateway(from, cid)
    await using bob = await startNode()
    const { id } = await bob.transfers.start({ cid: cid.toString(), from: [gateway.url] })
    const begun = Promise.withResolvers<void>()
    const watching = bob.transfers.watch(({ done }) => {
      if (done > 2_000_000) begun.resolve()
    })
    await begun.promise
    watching.stop()
    await bob.transfers.pause(id)
    const { blocks } = await bob.repo.stat()
    expect(blocks).toBeGreaterThan(1)
    expect(await bob.repo.gc()).toEqual({ blocks: 0, bytes: 0 })
    await bob.transfers.cancel(id)
    expect(await bob.repo.stat()).toMatchObject({ blocks: 0, bytes: 0 })
  })

  it('keeps a transfer under the name that it gets on its way', async () => {
    const from = await createStore()
    const cid = (await from.add(randomBytes(3_000_000))).toString()
    const named = Promise.withResolvers<void>()
    await using gateway = await startGateway(from.source, async (_request, _response, next) => {
      await named.promise
      await next()
    })
    await using bob = await startNode()
    const { id } = await bob.transfers.start({ cid, from: [gateway.url] })
    const complete = Promise.withResolvers<void>()
    bob.transfers.watch((transfer) => transfer.id === id && transfer.state === 'complete' && complete.resolve())
    await bob.transfers.start({ cid, name: 'found out' })
    named.resolve()
    await complete.promise
    const names: string[] = []
    for await (const { name } of bob.pin.ls()) names.push(name)
    expect(names).toEqual(['found out'])
  })
})
