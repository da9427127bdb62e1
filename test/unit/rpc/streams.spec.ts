import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { serveRpc } from '../../../src/rpc/server.ts'
import { PocketError } from '../../../src/shared/errors.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { closeAfter, collect, counting, drain, join, MiB, numbers, rejection, WINDOW } from './kit.ts'
import { PORTS } from './ports.ts'

describe.each(Object.entries(PORTS))('rpc over %s', (name, createPorts) => {
  describe('a byte stream', () => {
    it('arrives whole and in order whatever the sizes of its chunks', async () => {
      const sizes = [1, 5 * MiB, 0, 3, 256 * 1024, WINDOW + 1]
      const chunks = sizes.map((size, index) => new Uint8Array(size).fill(index + 1))
      const sent = Buffer.concat(chunks)
      const { client } = join(createPorts, { read: { kind: 'bytes', handle: () => ReadableStream.from(chunks) } })
      const got = Buffer.concat(await collect(client.bytes('read', null)))
      expect(got.equals(sent)).toBe(true)
    })

    it('takes the buffers that its chunks fill, and copies what is part of one', async () => {
      const part = new Uint8Array(3 * MiB).fill(7).subarray(10, 20)
      const whole = new Uint8Array(3 * MiB).fill(8)
      const { client } = join(createPorts, {
        read: { kind: 'bytes', handle: () => ReadableStream.from([part, whole, part]) },
      })
      const got = await collect(client.bytes('read', null))
      expect(got.map((chunk) => chunk.length)).toEqual([10, 3 * MiB, 10])
      expect(got.every((chunk) => chunk.buffer.byteLength === chunk.length)).toBe(true)
      // A BroadcastChannel takes nothing over.
      expect(whole.byteLength).toBe(name === 'MessageChannel' ? 0 : 3 * MiB)
      expect(part[0]).toBe(7)
    })

    it('does not begin before it is read', async () => {
      const handle = vi.fn(() => new ReadableStream<Uint8Array>())
      const { client } = join(createPorts, { read: { kind: 'bytes', handle } })
      client.bytes('read', null)
      await client.ping(1000)
      expect(handle).not.toHaveBeenCalled()
    })

    it('lets its source run ahead of a slow reader by no more than the window', async () => {
      const source = counting(64 * 1024)
      const { client } = join(createPorts, { read: { kind: 'bytes', handle: () => source.stream } })
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
      closeAfter(
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
      const { client } = join(createPorts, { read: { kind: 'bytes', handle: () => source.stream } })
      const reader = client.bytes('read', null).getReader()
      await reader.read()
      await source.still()
      expect(source.produced()).toBeLessThanOrEqual(WINDOW + 2 * 64 * 1024)
      expect(source.produced()).toBeGreaterThanOrEqual(WINDOW)
    })

    it('releases its source when the reader cancels', async () => {
      const source = counting(1024)
      const { client } = join(createPorts, { read: { kind: 'bytes', handle: () => source.stream } })
      const reader = client.bytes('read', null).getReader()
      await reader.read()
      await reader.cancel('enough')
      await source.cancelled
    })

    it('releases its source and fails when its signal fires', async () => {
      const source = counting(1024)
      const { client } = join(createPorts, { read: { kind: 'bytes', handle: () => source.stream } })
      const controller = new AbortController()
      const reader = client.bytes('read', null, { signal: controller.signal }).getReader()
      await reader.read()
      controller.abort()
      expect(await rejection(drain(reader))).toMatchObject({ code: 'ERR_ABORTED' })
      await source.cancelled
    })

    it('passes an error of its source on after the bytes before it', async () => {
      const { client } = join(createPorts, {
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
      const { client } = join(createPorts, {
        read: { kind: 'bytes', handle: () => ReadableStream.from(['text']) as ReadableStream<never> },
      })
      expect(await rejection(client.bytes('read', null).getReader().read())).toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      })
    })
  })

  describe('an item stream', () => {
    it('yields everything in order', async () => {
      const { client } = join(createPorts, { list: { kind: 'items', handle: () => numbers(5000) } })
      const got = await collect(client.items('list', null))
      expect(got).toEqual(Array.from({ length: 5000 }, (_, index) => index))
    })

    it('lets its source run ahead by no more than the window', async () => {
      let made = 0
      const { client } = join(createPorts, {
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
      const { client } = join(createPorts, {
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
      const { client } = join(createPorts, {
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
      const { client } = join(createPorts, { list: { kind: 'items', handle: () => numbers(3) } })
      const iterator = client.items('list', null)[Symbol.asyncIterator]()
      const results = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()])
      expect(results.map((result) => result.value as unknown)).toEqual([0, 1, 2, undefined])
    })
  })
})
