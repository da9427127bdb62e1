import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { PortLike } from '../../../src/contract/port.ts'
import { createRpcClient } from '../../../src/rpc/client.ts'
import { serveRpc } from '../../../src/rpc/server.ts'
import type { RpcClient, RpcHandlers, RpcServer } from '../../../src/rpc/types.ts'
import { PocketError } from '../../../src/shared/errors.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { PORTS } from './ports.ts'

interface Methods {
  echo: { kind: 'unary'; params: unknown; result: unknown; progress: number }
  read: { kind: 'bytes'; params: unknown }
  list: { kind: 'items'; params: unknown; result: number }
}

const MiB = 1024 * 1024
const WINDOW = LIMITS.portWindowBytes

describe.each(Object.entries(PORTS))('rpc over %s', (_name, createPorts) => {
  const ends: { close(): void }[] = []
  afterEach(() => {
    for (const end of ends.splice(0)) end.close()
  })

  function join(handlers: RpcHandlers): { client: RpcClient<Methods>; server: RpcServer; raw: PortLike } {
    const [near, far] = createPorts()
    const server = serveRpc(far, handlers)
    const client = createRpcClient<Methods>(near)
    ends.push(client, server)
    return { client, server, raw: near }
  }

  describe('a unary call', () => {
    it('answers with what the handler gives, calls side by side', async () => {
      const { client } = join({ echo: { kind: 'unary', handle: async (params) => ({ got: params }) } })
      const all = await Promise.all([1, 'two', { three: [3] }].map((value) => client.call('echo', value)))
      expect(all).toEqual([{ got: 1 }, { got: 'two' }, { got: { three: [3] } }])
    })

    it('carries blobs as they are', async () => {
      const { client } = join({ echo: { kind: 'unary', handle: async (params) => (params as Blob).text() } })
      expect(await client.call('echo', new Blob(['in a blob']))).toBe('in a blob')
    })

    it('keeps code, message, detail and causes of an error', async () => {
      const cause = new PocketError('ERR_TIMEOUT', 'slow', { cause: new TypeError('deep') })
      const { client } = join({
        echo: {
          kind: 'unary',
          handle: () =>
            Promise.reject(new PocketError('ERR_DIAL_FAILED', 'no way', { detail: { addr: '/ip4' }, cause })),
        },
      })
      const error = await rejection(client.call('echo', null))
      expect(error).toBeInstanceOf(PocketError)
      expect(error).toMatchObject({ code: 'ERR_DIAL_FAILED', message: 'no way', detail: { addr: '/ip4' } })
      expect(error.cause).toMatchObject({ code: 'ERR_TIMEOUT', message: 'slow' })
      expect((error.cause as PocketError).cause).toMatchObject({ message: 'TypeError: deep' })
    })

    it('fails for a handler that throws before it returns, and goes on serving', async () => {
      const { client } = join({
        echo: {
          kind: 'unary',
          handle: (params) => {
            if (params === 'throw') throw new PocketError('ERR_INVALID_ARGUMENT', 'at once')
            return Promise.resolve('fine')
          },
        },
      })
      expect(await rejection(client.call('echo', 'throw'))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
      expect(await client.call('echo', 'again')).toBe('fine')
    })

    it('refuses unknown methods, names of Object.prototype among them, and the wrong kind', async () => {
      const { client } = join({ echo: { kind: 'unary', handle: async () => 1 } })
      for (const name of ['nothing', 'toString', '__proto__', 'constructor']) {
        const error = await rejection(client.call(name as 'echo', null))
        expect(error).toMatchObject({ code: 'ERR_UNKNOWN_METHOD', detail: { method: name } })
      }
      const stream = client.bytes('echo' as 'read', null)
      expect(await rejection(stream.getReader().read())).toMatchObject({ code: 'ERR_PROTOCOL' })
    })

    it('refuses params that cannot be cloned and survives results that cannot', async () => {
      const { client } = join({ echo: { kind: 'unary', handle: async () => () => 1 } })
      expect(await rejection(client.call('echo', () => 1))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
      expect(await rejection(client.call('echo', 1))).toMatchObject({ code: 'ERR_INTERNAL' })
    })

    it('reports progress, the last report before the result', async () => {
      const { client } = join({
        echo: {
          kind: 'unary',
          handle: async (_params, { progress }) => {
            for (let i = 1; i <= 10_000; i++) progress(i)
            return 'done'
          },
        },
      })
      const seen: number[] = []
      expect(await client.call('echo', null, { onProgress: (value) => seen.push(value) })).toBe('done')
      expect(seen.at(-1)).toBe(10_000)
      // Bounded however fast the handler reports: the first, and the latest when the result is there.
      expect(seen.length).toBeLessThan(10)
    })

    it('goes on reporting as the caller listens', async () => {
      const { client } = join({
        echo: {
          kind: 'unary',
          handle: async (_params, { progress }) => {
            for (let i = 1; i <= 5; i++) {
              progress(i)
              await sleep(20)
            }
          },
        },
      })
      const seen: number[] = []
      await client.call('echo', null, { onProgress: (value) => seen.push(value) })
      expect(seen).toEqual([1, 2, 3, 4, 5])
    })

    it('is cancelled by its signal on both sides', async () => {
      const aborted = Promise.withResolvers<unknown>()
      const started = Promise.withResolvers<void>()
      const { client } = join({
        echo: {
          kind: 'unary',
          handle: (_params, { signal }) => {
            started.resolve()
            return new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                aborted.resolve(signal.reason)
                reject(new Error('stopped'))
              })
            })
          },
        },
      })
      const controller = new AbortController()
      const call = rejection(client.call('echo', null, { signal: controller.signal }))
      await started.promise
      controller.abort()
      expect(await call).toMatchObject({ code: 'ERR_ABORTED' })
      expect(await aborted.promise).toMatchObject({ code: 'ERR_ABORTED' })
    })

    it('tells a time-out from an abort and never starts with a signal that has fired', async () => {
      const handle = vi.fn(() => new Promise(() => undefined))
      const { client } = join({ echo: { kind: 'unary', handle } })
      const late = rejection(client.call('echo', null, { signal: AbortSignal.timeout(20) }))
      expect(await late).toMatchObject({ code: 'ERR_TIMEOUT' })
      expect(await rejection(client.call('echo', null, { signal: AbortSignal.abort() }))).toMatchObject({
        code: 'ERR_ABORTED',
      })
      expect(handle).toHaveBeenCalledTimes(1)
    })

    it('leaves no listener on a signal that outlives it', async () => {
      const { client } = join({ echo: { kind: 'unary', handle: async () => 1 } })
      const { signal } = new AbortController()
      const add = vi.spyOn(signal, 'addEventListener')
      const remove = vi.spyOn(signal, 'removeEventListener')
      await client.call('echo', 1, { signal })
      expect(add).toHaveBeenCalledTimes(1)
      expect(remove.mock.calls[0]?.[1]).toBe(add.mock.calls[0]?.[1])
    })

    it('is refused beyond the limit of calls under way', async () => {
      const gate = Promise.withResolvers<string>()
      const { client } = join({ echo: { kind: 'unary', handle: () => gate.promise } })
      const calls = Array.from({ length: LIMITS.maxCallsPerPort }, () => client.call('echo', 1))
      const over = await rejection(client.call('echo', 1))
      expect(over).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED', detail: { limit: LIMITS.maxCallsPerPort } })
      gate.resolve('ok')
      expect(new Set(await Promise.all(calls))).toEqual(new Set(['ok']))
      expect(await client.call('echo', 1)).toBe('ok')
    })
  })

  describe('a byte stream', () => {
    it('arrives whole and in order whatever the sizes of its chunks', async () => {
      const sizes = [1, 5 * MiB, 0, 3, 256 * 1024, WINDOW + 1]
      const chunks = sizes.map((size, index) => new Uint8Array(size).fill(index + 1))
      const { client } = join({ read: { kind: 'bytes', handle: () => ReadableStream.from(chunks) } })
      const got = Buffer.concat(await collect(client.bytes('read', null)))
      expect(got.equals(Buffer.concat(chunks))).toBe(true)
    })

    it('does not touch the buffers of its source', async () => {
      const buffer = new Uint8Array(3 * MiB).fill(7)
      const view = buffer.subarray(10, 20)
      const { client } = join({ read: { kind: 'bytes', handle: () => ReadableStream.from([view, buffer, view]) } })
      let length = 0
      for await (const chunk of client.bytes('read', null)) {
        length += chunk.length
        expect(chunk.buffer.byteLength).toBe(chunk.length)
      }
      expect(length).toBe(3 * MiB + 20)
      expect(buffer.byteLength).toBe(3 * MiB)
      expect(view[0]).toBe(7)
    })

    it('does not begin before it is read', async () => {
      const handle = vi.fn(() => new ReadableStream<Uint8Array>())
      const { client } = join({ read: { kind: 'bytes', handle } })
      client.bytes('read', null)
      await client.ping(1000)
      expect(handle).not.toHaveBeenCalled()
    })

    it('lets its source run ahead of a slow reader by no more than the window', async () => {
      const source = counting(64 * 1024)
      const { client } = join({ read: { kind: 'bytes', handle: () => source.stream } })
      const reader = client.bytes('read', null).getReader()
      let read = 0
      for (let i = 0; i < 200; i++) {
        const { value } = await reader.read()
        read += value?.length ?? 0
        await client.ping(1000)
        // One chunk more is in the hands of the sender, waiting for credit.
        expect(source.produced() - read).toBeLessThanOrEqual(WINDOW + 64 * 1024)
      }
      expect(source.produced()).toBeGreaterThan(200 * 64 * 1024)
      await reader.cancel()
    })

    it('sends no byte that was not asked for, however large the chunk', async () => {
      const [near, far] = createPorts()
      ends.push(
        serveRpc(far, { read: { kind: 'bytes', handle: () => ReadableStream.from([new Uint8Array(10 * MiB)]) } }),
        near,
      )
      let received = 0
      let pong = Promise.withResolvers<void>()
      near.onmessage = ({ data }) => {
        const message = data as { t: string; bytes?: Uint8Array }
        received += message.bytes?.length ?? 0
        if (message.t === 'pong') pong.resolve()
      }
      near.postMessage({ t: 'call', id: 0, kind: 'bytes', method: 'read', params: null, bodies: 0, credit: 1.5 * MiB })
      for (let granted = 1.5 * MiB; granted < 6 * MiB; granted += MiB) {
        near.postMessage({ t: 'ping', id: 1 })
        await pong.promise
        pong = Promise.withResolvers()
        expect(received).toBeLessThanOrEqual(granted)
        expect(received).toBeGreaterThan(granted - MiB)
        near.postMessage({ t: 'credit', id: 0, credit: MiB })
      }
    })

    it('that nobody goes on reading keeps the window and no more', async () => {
      const source = counting(64 * 1024)
      const { client } = join({ read: { kind: 'bytes', handle: () => source.stream } })
      const reader = client.bytes('read', null).getReader()
      await reader.read()
      await source.still()
      expect(source.produced()).toBeLessThanOrEqual(WINDOW + 2 * 64 * 1024)
      expect(source.produced()).toBeGreaterThanOrEqual(WINDOW)
    })

    it('releases its source when the reader cancels', async () => {
      const source = counting(1024)
      const { client } = join({ read: { kind: 'bytes', handle: () => source.stream } })
      const reader = client.bytes('read', null).getReader()
      await reader.read()
      await reader.cancel('enough')
      await source.cancelled
    })

    it('releases its source and fails when its signal fires', async () => {
      const source = counting(1024)
      const { client } = join({ read: { kind: 'bytes', handle: () => source.stream } })
      const controller = new AbortController()
      const reader = client.bytes('read', null, { signal: controller.signal }).getReader()
      await reader.read()
      controller.abort()
      expect(await rejection(drain(reader))).toMatchObject({ code: 'ERR_ABORTED' })
      await source.cancelled
    })

    it('passes an error of its source on after the bytes before it', async () => {
      const { client } = join({
        read: {
          kind: 'bytes',
          handle: () =>
            ReadableStream.from(
              (async function* () {
                yield new Uint8Array(10)
                await sleep(20)
                throw new PocketError('ERR_NOT_FOUND', 'rest is missing')
              })(),
            ),
        },
      })
      const reader = client.bytes('read', null).getReader()
      expect((await reader.read()).value).toHaveLength(10)
      expect(await rejection(reader.read())).toMatchObject({ code: 'ERR_NOT_FOUND', message: 'rest is missing' })
    })

    it('fails when its source yields anything but bytes', async () => {
      const { client } = join({
        read: { kind: 'bytes', handle: () => ReadableStream.from(['text']) as ReadableStream<never> },
      })
      expect(await rejection(client.bytes('read', null).getReader().read())).toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      })
    })
  })

  describe('an item stream', () => {
    it('yields everything in order', async () => {
      const { client } = join({ list: { kind: 'items', handle: () => numbers(5000) } })
      const got = await collect(client.items('list', null))
      expect(got).toEqual(Array.from({ length: 5000 }, (_, index) => index))
    })

    it('lets its source run ahead by no more than the window', async () => {
      let made = 0
      const { client } = join({
        list: {
          kind: 'items',
          handle: async function* () {
            while (true) yield made++
          },
        },
      })
      let read = 0
      for await (const _item of client.items('list', null)) {
        read++
        if (read % 50 === 0) await client.ping(1000)
        expect(made - read).toBeLessThanOrEqual(LIMITS.portWindowItems)
        if (read === 2000) break
      }
    })

    it('ends its source when the loop is left', async () => {
      const ended = Promise.withResolvers<void>()
      const { client } = join({
        list: {
          kind: 'items',
          handle: async function* () {
            try {
              for (let i = 0; ; i++) yield i
            } finally {
              ended.resolve()
            }
          },
        },
      })
      for await (const item of client.items('list', null)) if (item === 3) break
      await ended.promise
    })

    it('fails with the error of its source, and for an item that cannot be cloned', async () => {
      const { client } = join({
        list: {
          kind: 'items',
          handle: async function* (params) {
            yield 1
            if (params === 'clone') yield () => 1
            throw new PocketError('ERR_NOT_A_DIRECTORY')
          },
        },
      })
      expect(await rejection(collect(client.items('list', null)))).toMatchObject({
        code: 'ERR_NOT_A_DIRECTORY',
      })
      expect(await rejection(collect(client.items('list', 'clone')))).toMatchObject({ code: 'ERR_INTERNAL' })
    })

    it('serves callers that ask ahead', async () => {
      const { client } = join({ list: { kind: 'items', handle: () => numbers(3) } })
      const iterator = client.items('list', null)[Symbol.asyncIterator]()
      const results = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()])
      expect(results.map((result) => result.value as unknown)).toEqual([0, 1, 2, undefined])
    })
  })

  describe('bodies of a call', () => {
    it('travel beside each other and arrive whole', async () => {
      const { client } = join({
        echo: {
          kind: 'unary',
          handle: async (_params, { bodies }) => {
            const lengths = []
            for (const body of bodies) lengths.push(Buffer.concat(await collect(body)).length)
            return lengths
          },
        },
      })
      const bodies = [counting(300_000, 10), counting(10, 3), counting(1, 0)].map((source) => source.stream)
      expect(await client.call('echo', null, { bodies })).toEqual([3_000_000, 30, 0])
    })

    it('travel no further than the handler reads', async () => {
      const [first, second] = [counting(64 * 1024), counting(64 * 1024)]
      const gate = Promise.withResolvers<void>()
      const { client } = join({
        echo: {
          kind: 'unary',
          handle: async (_params, { bodies }) => {
            const reader = bodies[0]!.getReader()
            await reader.read()
            await gate.promise
          },
        },
      })
      const call = client.call('echo', null, { bodies: [first.stream, second.stream] })
      await first.still()
      expect(first.produced()).toBeGreaterThanOrEqual(WINDOW)
      expect(first.produced()).toBeLessThanOrEqual(WINDOW + 2 * 64 * 1024)
      expect(second.produced()).toBeLessThanOrEqual(64 * 1024)
      gate.resolve()
      await call
      // The call is over: its streams are let go.
      await Promise.all([first.cancelled, second.cancelled])
    })

    it('are let go when the handler has enough', async () => {
      const source = counting(1000)
      const { client } = join({
        echo: {
          kind: 'unary',
          handle: async (_params, { bodies }) => {
            await bodies[0]!.cancel()
            await source.cancelled
            return 'enough'
          },
        },
      })
      expect(await client.call('echo', null, { bodies: [source.stream] })).toBe('enough')
    })

    it('fail at the handler as they fail at the page', async () => {
      const { client } = join({
        echo: { kind: 'unary', handle: (_params, { bodies }) => collect(bodies[0]!) },
      })
      const broken = new ReadableStream({ pull: () => Promise.reject(new Error('disk gone')) })
      const error = await rejection(client.call('echo', null, { bodies: [broken] }))
      expect(error).toMatchObject({ code: 'ERR_SOURCE_UNREADABLE', message: 'disk gone' })
      const text = ReadableStream.from(['text']) as ReadableStream<never>
      expect(await rejection(client.call('echo', null, { bodies: [text] }))).toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      })
    })

    it('are let go when the call is cancelled, and fail at the handler', async () => {
      const source = counting(1000)
      const failed = Promise.withResolvers<unknown>()
      const { client } = join({
        echo: {
          kind: 'unary',
          handle: async (_params, { bodies }) => {
            const reader = bodies[0]!.getReader()
            await drain(reader).catch(failed.resolve)
          },
        },
      })
      const controller = new AbortController()
      const call = client.call('echo', null, { bodies: [source.stream], signal: controller.signal })
      await source.still(1)
      controller.abort()
      expect(await rejection(call)).toMatchObject({ code: 'ERR_ABORTED' })
      await source.cancelled
      expect(await failed.promise).toMatchObject({ code: 'ERR_ABORTED' })
    })

    it('in use already are refused', async () => {
      const { client } = join({ echo: { kind: 'unary', handle: async () => 1 } })
      const { stream } = counting(1)
      expect(await rejection(client.call('echo', null, { bodies: [stream, stream] }))).toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      })
      stream.getReader()
      expect(await rejection(client.call('echo', null, { bodies: [stream] }))).toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      })
    })
  })

  describe('the end of a port', () => {
    const forever = (): RpcHandlers => ({
      echo: { kind: 'unary', handle: () => new Promise(() => undefined) },
      read: {
        kind: 'bytes',
        handle: () => new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) }),
      },
      list: {
        kind: 'items',
        handle: async function* () {
          yield 1
          await new Promise(() => undefined)
        },
      },
    })

    async function pendingOf(client: RpcClient<Methods>): Promise<Promise<PocketError>[]> {
      const reader = client.bytes('read', null).getReader()
      const iterator = client.items('list', null)[Symbol.asyncIterator]()
      await reader.read()
      await iterator.next()
      return [
        client.call('echo', null),
        reader.read(),
        iterator.next(),
        ...[1, 2].map(() => client.call('echo', 1)),
      ].map(rejection)
    }

    it('closed here rejects everything pending with the reason, and every later call', async () => {
      const { client, server } = join(forever())
      const pending = await pendingOf(client)
      client.close(new PocketError('ERR_HOST_LOST'))
      pending.push(rejection(client.ping(1000)), rejection(client.call('echo', 1)))
      pending.push(rejection(client.bytes('read', null).getReader().read()))
      pending.push(rejection(collect(client.items('list', null))))
      for (const error of await Promise.all(pending)) expect(error).toMatchObject({ code: 'ERR_HOST_LOST' })
      expect(await client.closed).toMatchObject({ code: 'ERR_HOST_LOST' })
      await server.closed
    })

    it('closed there rejects everything pending with the reason', async () => {
      const { client, server } = join(forever())
      const pending = await pendingOf(client)
      server.close(new PocketError('ERR_HOST_LOST', 'moved on'))
      for (const error of await Promise.all(pending)) {
        expect(error).toMatchObject({ code: 'ERR_HOST_LOST', message: 'moved on' })
      }
      expect(await client.closed).toMatchObject({ code: 'ERR_HOST_LOST' })
    })

    it('aborts what the server has under way', async () => {
      const body = counting(1000)
      const source = counting(1000)
      const aborted = Promise.withResolvers<void>()
      const { client } = join({
        echo: {
          kind: 'unary',
          handle: async (_params, { signal, bodies }) => {
            signal.addEventListener('abort', () => aborted.resolve())
            await bodies[0]!.getReader().read()
            await new Promise(() => undefined)
          },
        },
        read: { kind: 'bytes', handle: () => source.stream },
      })
      const call = rejection(client.call('echo', null, { bodies: [body.stream] }))
      await body.still(1)
      await client.bytes('read', null).getReader().read()
      client.close()
      expect(await call).toMatchObject({ code: 'ERR_CLOSED' })
      await Promise.all([aborted.promise, body.cancelled, source.cancelled])
    })

    it('cuts streams both ways', async () => {
      const { client, server } = join({
        read: { kind: 'bytes', handle: () => counting(64 * 1024).stream },
        echo: { kind: 'unary', handle: (_params, { bodies }) => drain(bodies[0]!.getReader()) },
      })
      const source = counting(64 * 1024)
      const down = rejection(drain(client.bytes('read', null).getReader()))
      const up = rejection(client.call('echo', null, { bodies: [source.stream] }))
      await source.still(WINDOW * 2)
      server.close()
      expect(await down).toMatchObject({ code: 'ERR_CLOSED' })
      expect(await up).toMatchObject({ code: 'ERR_CLOSED' })
      await source.cancelled
    })
  })

  describe('ping', () => {
    it('measures the round trip', async () => {
      const { client } = join({})
      expect(await client.ping(1000)).toBeGreaterThan(0)
    })

    it('times out when nobody answers', async () => {
      const [near, far] = createPorts()
      const client = createRpcClient<Methods>(near)
      ends.push(client, far)
      expect(await rejection(client.ping(30))).toMatchObject({ code: 'ERR_TIMEOUT' })
    })
  })
})

/** An endless (or `chunks` long) source that knows how far it was read. */
function counting(chunkBytes: number, chunks = Infinity) {
  let produced = 0
  const cancelled = Promise.withResolvers<unknown>()
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // A task of its own now and then, so that a source without end cannot starve the ports.
        if (produced % (32 * chunkBytes) === 0) await sleep(0)
        if (produced >= chunks * chunkBytes) return controller.close()
        produced += chunkBytes
        controller.enqueue(new Uint8Array(chunkBytes))
      },
      cancel: cancelled.resolve,
    },
    { highWaterMark: 0 },
  )
  return {
    stream,
    cancelled: cancelled.promise,
    produced: () => produced,
    /** Resolves when nothing more was read for a while, or `atLeast` bytes were. */
    async still(atLeast = Infinity) {
      for (let before = -1; before !== produced || produced === 0; await sleep(60)) {
        if (produced >= atLeast) return
        before = produced
      }
    },
  }
}

async function* numbers(count: number): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) yield i
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of source) all.push(item)
  return all
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

async function rejection(promise: Promise<unknown>): Promise<PocketError> {
  try {
    await promise
  } catch (error) {
    return error as PocketError
  }
  throw new Error('It did not fail')
}
