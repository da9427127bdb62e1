import { describe, expect, it } from 'vitest'
import { createMemoryStateTable } from '../../../src/core/storage/index.ts'
import type { StateTable } from '../../../src/core/ports.ts'
import { startRelay } from '../../support/node/relay.ts'
import { readAll, startNode, untilStatus } from '../../support/node/node.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** A table that refuses these of the calls that are about libp2p's store of peers. */
function failing(fails: (call: number) => boolean): { state: StateTable; calls: () => number } {
  let calls = 0
  const state = new Proxy(createMemoryStateTable(), {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        if (JSON.stringify(args[0] ?? '').includes('/peers') && fails(calls++)) throw new Error('the disk is busy')
        return value.apply(target, args) as unknown
      }
    },
  })
  return { state, calls: () => calls }
}

describe('a network that does not start', () => {
  it('is told of, is no matter for what is here, and is tried again', async () => {
    let broken = true
    const { state } = failing(() => broken)
    await using node = await startNode({ ports: { state } })
    await untilStatus(node, ({ error }) => error?.code === 'ERR_NETWORK_START')
    expect((await node.status()).state).toBe('starting')
    const { cid } = await node.add(text('here'))
    expect(new TextDecoder().decode(await readAll(node.cat(cid)))).toBe('here')
    await expect(node.dial('/ip4/127.0.0.1/tcp/9/ws')).rejects.toMatchObject({ code: 'ERR_NETWORK_START' })
    broken = false
    await untilStatus(node, ({ state: now }) => now === 'running')
    expect((await node.status()).error).toBeUndefined()
    await expect(node.dial('/ip4/127.0.0.1/tcp/9/ws')).rejects.toMatchObject({ code: 'ERR_DIAL_FAILED' })
  })

  it.each([1, 4, 9])('comes up whole when the store refused call %i', async (refused) => {
    await using relay = await startRelay()
    await using peer = await startNode({ relays: [relay.addr] })
    const { state, calls } = failing((call) => call === refused)
    await using node = await startNode({ relays: [relay.addr], ports: { state } })
    const { cid } = await node.add(text('there'))
    await untilStatus(node, ({ reachable }) => reachable)
    expect(calls()).toBeGreaterThan(refused)
    // It is found, answers, and asks.
    await peer.pin.add(cid, { from: (await node.id()).multiaddrs })
    const back = await peer.add(text('and back'))
    expect(new TextDecoder().decode(await readAll(node.cat(back.cid)))).toBe('and back')
  })

  it('is tried no more once the node has stopped', async () => {
    const { state, calls } = failing(() => true)
    const node = await startNode({ ports: { state } })
    await untilStatus(node, ({ error }) => error !== undefined)
    await node.stop()
    const before = calls()
    await new Promise((resolve) => setImmediate(resolve))
    expect(calls()).toBe(before)
  })
})
