import { describe, expect, it } from 'vitest'
import { collect, counting, drain, join, MiB, rejection, WINDOW } from './kit.ts'
import { PORTS } from './ports.ts'

describe.each(Object.entries(PORTS))('rpc over %s', (_name, createPorts) => {
  describe('bodies of a call', () => {
    it('travel beside each other and arrive whole', async () => {
      const { client } = join(createPorts, {
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

    it('leave the buffers of their chunks to the page', async () => {
      const chunk = new Uint8Array(MiB).fill(7)
      const { client } = join(createPorts, {
        echo: { kind: 'unary', handle: async (_params, { bodies }) => (await collect(bodies[0]!)).length },
      })
      expect(await client.call('echo', null, { bodies: [ReadableStream.from([chunk, chunk])] })).toBe(2)
      expect(chunk.byteLength).toBe(MiB)
    })

    it('travel no further than the handler reads', async () => {
      const [first, second] = [counting(64 * 1024), counting(64 * 1024)]
      const gate = Promise.withResolvers<void>()
      const { client } = join(createPorts, {
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
      const { client } = join(createPorts, {
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
      const { client } = join(createPorts, {
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
      const { client } = join(createPorts, {
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
      const { client } = join(createPorts, { echo: { kind: 'unary', handle: async () => 1 } })
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
})
