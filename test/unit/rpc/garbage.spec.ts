import { afterEach, describe, expect, it } from 'vitest'
import type { PortLike } from '../../../src/contract/port.ts'
import { createRpcClient } from '../../../src/rpc/client.ts'
import { serveRpc } from '../../../src/rpc/server.ts'
import type { RpcHandlers } from '../../../src/rpc/types.ts'
import { PocketError } from '../../../src/shared/errors.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { PORTS } from './ports.ts'

interface Methods {
  wait: { kind: 'unary'; params: unknown; result: unknown }
  read: { kind: 'bytes'; params: unknown }
  list: { kind: 'items'; params: unknown; result: unknown }
}

/** What a call of a garbage message would meet: nothing that ends by itself. */
const HANDLERS: RpcHandlers = {
  wait: {
    kind: 'unary',
    handle: (params, { signal }) =>
      new Promise((resolve, reject) => {
        if (params === 'go') resolve('gone')
        signal.addEventListener('abort', () => reject(signal.reason as PocketError))
      }),
  },
  read: { kind: 'bytes', handle: () => new ReadableStream() },
  list: {
    kind: 'items',
    handle: async function* () {
      yield 1
    },
  },
}

describe.each(Object.entries(PORTS))('garbage over %s', (_name, createPorts) => {
  const ends: { close(): void }[] = []
  afterEach(() => {
    for (const end of ends.splice(0)) end.close()
  })

  function join() {
    const [near, far] = createPorts()
    const client = createRpcClient<Methods>(near)
    const server = serveRpc(far, HANDLERS)
    ends.push(client, server)
    return { near, far, client, server }
  }

  it('of 10,000 messages to the server ends no call that it is not about, and leaves nothing behind', async () => {
    const { near, client } = join()
    const bystander = client.call('wait', 'stay')
    bystander.catch(() => undefined)
    flood(near, 10_000, ['call', 'cancel', 'credit', 'body', 'body-end', 'body-error', 'ping', 'pong', 'result'])
    expect(await client.call('wait', 'go')).toBe('gone')
    // Calls that the flood opened are cancelled; then all places but the bystander's are free again.
    for (let id = FIRST_ID; id < FIRST_ID + IDS; id++) near.postMessage({ t: 'cancel', id })
    await client.ping(5000)
    const all = Array.from({ length: LIMITS.maxCallsPerPort - 1 }, () => client.call('wait', 'go'))
    expect(new Set(await Promise.all(all))).toEqual(new Set(['gone']))
    client.close()
    await expect(bystander).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })

  it('of 10,000 messages to the client ends no call that it is not about', async () => {
    const { far, client } = join()
    const reader = client.bytes('read', null).getReader()
    const read = reader.read()
    read.catch(() => undefined)
    flood(far, 10_000, ['result', 'error', 'progress', 'bytes', 'items', 'end', 'body-credit', 'body-cancel', 'pong'])
    expect(await client.call('wait', 'go')).toBe('gone')
    client.close()
    await expect(read).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })

  it.each([
    [{ t: 'call', id: 7 }],
    [{ t: 'call', id: 7, kind: 'unary', method: 'wait', bodies: -1, credit: 1 }],
    [{ t: 'call', id: 7, kind: 'unary', method: 'wait', bodies: 1e9, credit: 1 }],
    [{ t: 'call', id: 7, kind: 'bytes', method: 'read', bodies: 0, credit: 0 }],
    [{ t: 'call', id: 7, kind: 'bytes', method: 'wait', bodies: 0, credit: 1 }],
    [{ t: 'unheard of', id: 7 }],
  ])('%j is answered with ERR_PROTOCOL', async (message) => {
    const [near, far] = createPorts()
    ends.push(serveRpc(far, HANDLERS), near)
    const answer = new Promise((resolve) => (near.onmessage = ({ data }) => resolve(data)))
    near.postMessage(message)
    expect(await answer).toMatchObject({ t: 'error', id: 7, error: { code: 'ERR_PROTOCOL' } })
  })

  it.each([
    ['a second call of its id', { t: 'call', kind: 'unary', method: 'wait', bodies: 0, credit: 1 }],
    ['a body that it does not have', { t: 'body', body: 0, bytes: new Uint8Array(1) }],
    ['credit that is none', { t: 'credit', credit: Number.NaN }],
  ])('about a call ends it on both sides: %s', async (_what, message) => {
    const { near, client } = join()
    const call = client.call('wait', 'stay')
    near.postMessage({ ...message, id: 0 })
    await expect(call).rejects.toMatchObject({ code: 'ERR_PROTOCOL' })
    expect(await client.call('wait', 'go')).toBe('gone')
  })

  it.each([
    ['bytes nobody asked for', { t: 'bytes', bytes: new Uint8Array(LIMITS.portWindowBytes + 1) }],
    ['an empty frame', { t: 'bytes', bytes: new Uint8Array(0) }],
    ['text for bytes', { t: 'bytes', bytes: 'text' }],
    ['items for bytes', { t: 'items', items: [1] }],
    ['a result', { t: 'result', value: 1 }],
    ['what is no message', { t: 'what' }],
  ])('in an answer fails the stream and cancels it there: %s', async (_what, message) => {
    const [near, far] = createPorts()
    const client = createRpcClient<Methods>(near)
    ends.push(client, far)
    const heard: unknown[] = []
    const cancelled = new Promise<unknown>((resolve) => {
      far.onmessage = ({ data }) => {
        heard.push(data)
        if ((data as { t: string }).t === 'cancel') resolve(data)
      }
    })
    const read = client.bytes('read', null).getReader().read()
    read.catch(() => undefined)
    far.postMessage({ ...message, id: 0 })
    await expect(read).rejects.toMatchObject({ code: 'ERR_PROTOCOL' })
    expect(await cancelled).toEqual({ t: 'cancel', id: 0 })
    expect(heard[0]).toMatchObject({ t: 'call', id: 0 })
  })

  it('for an error becomes an error all the same', async () => {
    const [near, far] = createPorts()
    const client = createRpcClient<Methods>(near)
    ends.push(client, far)
    const errors = [undefined, null, 7, 'no', { code: 'ERR_NONE_SUCH' }, { code: 1, message: 2, cause: 3 }]
    far.onmessage = ({ data }) => {
      const { t, id } = data as { t: string; id: number }
      if (t === 'call') far.postMessage({ t: 'error', id, error: errors[id] })
    }
    for (const _error of errors) {
      await expect(client.call('wait', null)).rejects.toBeInstanceOf(PocketError)
    }
  })
})

/** Ids of garbage: far from those that calls of the tests get. */
const FIRST_ID = 1_000_000
const IDS = 500

function flood(port: PortLike, count: number, types: string[]): void {
  const random = mulberry32(42)
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  const value = (): unknown =>
    pick([
      ...[undefined, null, true, '', 'text', Number.NaN, -1, 0, 1, 2 ** 53, 1n, new Date(), new Map(), new Error('e')],
      ...[[], [1], {}, { t: 'call' }, new Uint8Array(0), new Uint8Array(3), new Blob(['x']), new ArrayBuffer(2)],
    ])
  const field = (...good: unknown[]): unknown => (random() < 0.7 ? pick(good) : value())
  for (let i = 0; i < count; i++) {
    if (random() < 0.1) port.postMessage(value())
    else {
      port.postMessage({
        t: field(...types),
        id: FIRST_ID + Math.floor(random() * IDS),
        kind: field('unary', 'bytes', 'items'),
        method: field('wait', 'read', 'list', 'none', 'toString'),
        bodies: field(0, 1, 3),
        body: field(0, 1),
        credit: field(1, 100),
        bytes: field(new Uint8Array(4)),
        items: field([1, 2]),
        error: field({ code: 'ERR_TIMEOUT', message: 'm' }),
      })
    }
  }
}

/** A small generator with a seed, so that a failure comes again. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
