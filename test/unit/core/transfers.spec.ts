import { describe, expect, it } from 'vitest'
import type { Transfer } from '../../../src/contract/node-api.ts'
import type { HostPorts } from '../../../src/core/ports.ts'
import { randomBytes, readAll, startNode } from '../../support/node/node.ts'
import { startRelay } from '../../support/node/relay.ts'
import { complete, offer, until } from '../../support/node/transfers.ts'

const MiB = 1024 * 1024

function network(): HostPorts['network'] & { set(online: boolean): void } {
  const listeners = new Set<(online: boolean) => void>()
  let online = true
  return {
    online: () => online,
    watch: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    set(value) {
      online = value
      for (const listener of listeners) listener(value)
    },
  }
}

describe('a transfer', () => {
  it('fetches and keeps what it was asked for', async () => {
    await using relay = await startRelay()
    await using alice = await startNode({ relays: [relay.addr] })
    await using bob = await startNode()
    const bytes = randomBytes(5 * MiB)
    const { cid, from } = await offer(alice, bytes)
    const started = await bob.transfers.start({ cid, from, name: 'Foto.jpg' })
    expect(started).toMatchObject({
      kind: 'fetch',
      cid,
      name: 'Foto.jpg',
      done: 0,
      priority: 0,
    })
    expect(['queued', 'running']).toContain(started.state)
    expect((await bob.transfers.start({ cid: `/ipfs/${cid}` })).id).toBe(started.id)
    const ended = await until(bob, started.id, complete)
    expect(ended.done).toBe(ended.total)
    expect(ended.done).toBeGreaterThan(5 * MiB)
    expect(await bob.transfers.list()).toEqual([await bob.transfers.get(started.id)])
    const [pin] = await Array.fromAsync(bob.pin.ls())
    expect(pin).toMatchObject({
      cid,
      name: 'Foto.jpg',
      origin: 'received',
      size: 5 * MiB,
    })
    expect(Buffer.compare(await readAll(bob.cat(cid)), bytes)).toBe(0)
    // It is over: asked for again, it is another one, in the place of the first.
    const again = await bob.transfers.start({ cid })
    expect(again.id).not.toBe(started.id)
    await until(bob, again.id, complete)
    expect(await bob.transfers.list()).toHaveLength(1)
  })

  it('goes on in the next node by itself, and fetches only what is missing', async () => {
    await using relay = await startRelay()
    await using alice = await startNode({ relays: [relay.addr] })
    const { cid, from } = await offer(alice, randomBytes(24 * MiB))
    const bob = await startNode()
    const { id } = await bob.transfers.start({ cid, from })
    const before = await until(bob, id, ({ done }) => done > 4 * MiB)
    await bob.stop()
    const held = (await bob.status()).storage.bytes
    expect(held).toBeLessThan(24 * MiB)
    expect(held).toBeGreaterThanOrEqual(before.done)

    await using next = await startNode({
      ports: { state: bob.ports.state, blocks: bob.ports.blocks },
    })
    const ended = await until(next, id, complete)
    expect(ended).toMatchObject({ id, createdAt: before.createdAt })
    expect((await next.stat(cid)).local.complete).toBe(true)
  })

  it('stays paused over a restart, keeps what it has from collection, and goes on when told', async () => {
    await using relay = await startRelay()
    await using alice = await startNode({ relays: [relay.addr] })
    const { cid, from } = await offer(alice, randomBytes(24 * MiB))
    const bob = await startNode()
    const { id } = await bob.transfers.start({ cid, from })
    await until(bob, id, ({ done }) => done > 4 * MiB)
    expect((await bob.transfers.pause(id)).state).toBe('paused')
    await bob.stop()
    await using next = await startNode({
      ports: { state: bob.ports.state, blocks: bob.ports.blocks },
    })
    const held = (await next.status()).storage.bytes
    expect((await next.transfers.get(id)).state).toBe('paused')
    expect((await next.transfers.start({ cid, from })).state).toBe('paused')
    // Removing a pin collects what nothing needs.
    const other = await next.add(randomBytes(MiB, 9))
    await next.pin.rm(other.cid)
    expect((await next.status()).storage.bytes).toBe(held)
    expect(['queued', 'running']).toContain((await next.transfers.resume(id)).state)
    await until(next, id, complete)
  })

  it('waits while there is no network, and goes on when it is back', async () => {
    await using relay = await startRelay()
    await using alice = await startNode({ relays: [relay.addr] })
    const { cid, from } = await offer(alice, randomBytes(2 * MiB))
    const line = network()
    line.set(false)
    await using bob = await startNode({ ports: { network: line } })
    const { id, state, error, nextAttemptAt } = await bob.transfers.start({
      cid,
      from,
    })
    expect({ state, code: error?.code }).toEqual({
      state: 'waiting',
      code: 'ERR_OFFLINE',
    })
    expect(nextAttemptAt).toBeGreaterThan(Date.now())
    line.set(true)
    await until(bob, id, complete)
  })

  it('waits for somebody who has it, and goes on as soon as one connects', async () => {
    await using relay = await startRelay()
    await using alice = await startNode({ relays: [relay.addr] })
    const { cid, from } = await offer(alice, randomBytes(2 * MiB))
    await using bob = await startNode()
    const { id } = await bob.transfers.start({ cid })
    await until(bob, id, ({ state }) => state === 'running')
    await bob.dial(from[0] ?? '')
    await until(bob, id, complete)
  })

  it('is cancelled for good, also when it has failed', async () => {
    await using bob = await startNode()
    const { id } = await bob.transfers.start({
      cid: 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
    })
    expect((await bob.transfers.cancel(id)).state).toBe('cancelled')
    expect((await bob.transfers.pause(id)).state).toBe('cancelled')
    expect((await bob.transfers.retry(id)).state).toBe('running')
    expect((await bob.transfers.cancel(id)).state).toBe('cancelled')
    await expect(bob.transfers.get('nope')).rejects.toMatchObject({
      code: 'ERR_NO_TRANSFER',
    })
  })

  it('fails with the reason when the content itself is bad', async () => {
    await using bob = await startNode()
    const added = await bob.add([{ path: 'a/b', content: new Uint8Array([1]) }])
    const { id } = await bob.transfers.start({
      cid: `${added.cid}/nope`,
      name: 'nope',
    })
    expect(await until(bob, id, ({ state }) => state === 'failed')).toMatchObject({
      name: 'nope',
      attempts: 1,
      error: { code: 'ERR_PATH_NOT_FOUND' },
    })
  })

  it.each([
    [{ cid: 'hello' }, 'ERR_INVALID_CID'],
    [{ cid: 'bafyreigaknpexyvxt76zgkitavbwx6ejgfheup5oybpm77f3pxzrvwpfdi' }, 'ERR_UNSUPPORTED_CODEC'],
    [
      {
        cid: 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
        from: ['/ip4/999.1.1.1/tcp/1'],
      },
      'ERR_INVALID_MULTIADDR',
    ],
  ])('is refused for %j', async (request, code) => {
    await using node = await startNode()
    await expect(node.transfers.start(request)).rejects.toMatchObject({ code })
    expect(await node.transfers.list()).toEqual([])
  })
})

describe('what peers take', () => {
  it('shows as a transfer of the one that gives', async () => {
    await using relay = await startRelay()
    await using alice = await startNode({ relays: [relay.addr] })
    await using bob = await startNode()
    const { cid, from } = await offer(alice, randomBytes(4 * MiB))
    const sends: Transfer[] = []
    alice.transfers.watch((transfer) => {
      if (transfer.kind === 'send') sends.push(transfer)
    })
    await bob.dial(from[0] ?? '')
    await bob.pin.add(cid)
    const { peerId } = await bob.id()
    expect(sends[0]).toMatchObject({
      cid,
      name: 'big.bin',
      state: 'running',
      durable: false,
    })
    const [send] = (await alice.transfers.list()).filter(({ kind }) => kind === 'send')
    expect(send?.sources).toEqual([{ kind: 'peer', id: peerId, bytes: send?.done }])
    expect(send?.done).toBeGreaterThan(4 * MiB)
    expect((await alice.transfers.cancel(send?.id ?? '')).state).toBe('running')
    await until(alice, send?.id ?? '', complete)
    expect((await alice.transfers.list()).filter(({ kind }) => kind === 'send')).toEqual([])
  })
})

describe('a direct fetch', () => {
  it('shows as a transfer that ends with its caller', async () => {
    await using node = await startNode()
    const cid = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
    const keeping = node.pin.add(cid, { transfer: 'mine', name: 'Mine' })
    const refused = expect(keeping).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    })
    expect(await node.transfers.get('mine')).toMatchObject({
      kind: 'fetch',
      name: 'Mine',
      durable: false,
      state: 'running',
    })
    expect((await node.transfers.pause('mine')).state).toBe('running')
    // Another of the same id does not take its place.
    const other = expect(node.pin.add(cid, { transfer: 'mine' })).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    const all = await node.transfers.list()
    expect(all).toHaveLength(2)
    for (const { id } of all) await node.transfers.cancel(id)
    await Promise.all([refused, other])
    expect(await node.transfers.list()).toEqual([])
  })
})
