import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { createRpcClient } from '../../../src/rpc/client.ts'
import { PocketError } from '../../../src/shared/errors.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { closeAfter, join, rejection, type Methods } from './kit.ts'
import { PORTS } from './ports.ts'

describe.each(Object.entries(PORTS))('rpc over %s', (_name, createPorts) => {
  describe('a unary call', () => {
    it('answers with what the handler gives, calls side by side', async () => {
      const { client } = join(createPorts, { echo: { kind: 'unary', handle: async (params) => ({ got: params }) } })
      const all = await Promise.all([1, 'two', { three: [3] }].map((value) => client.call('echo', value)))
      expect(all).toEqual([{ got: 1 }, { got: 'two' }, { got: { three: [3] } }])
    })

    it('carries blobs as they are', async () => {
      const { client } = join(createPorts, {
        echo: { kind: 'unary', handle: async (params) => (params as Blob).text() },
      })
      expect(await client.call('echo', new Blob(['in a blob']))).toBe('in a blob')
    })

    it('keeps code, message, detail and causes of an error', async () => {
      const cause = new PocketError('ERR_TIMEOUT', 'slow', { cause: new TypeError('deep') })
      const { client } = join(createPorts, {
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
      const { client } = join(createPorts, {
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
      const { client } = join(createPorts, { echo: { kind: 'unary', handle: async () => 1 } })
      for (const name of ['nothing', 'toString', '__proto__', 'constructor']) {
        const error = await rejection(client.call(name as 'echo', null))
        expect(error).toMatchObject({ code: 'ERR_UNKNOWN_METHOD', detail: { method: name } })
      }
      const stream = client.bytes('echo' as 'read', null)
      expect(await rejection(stream.getReader().read())).toMatchObject({ code: 'ERR_PROTOCOL' })
    })

    it('refuses params that cannot be cloned and survives results that cannot', async () => {
      const { client } = join(createPorts, { echo: { kind: 'unary', handle: async () => () => 1 } })
      expect(await rejection(client.call('echo', () => 1))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
      expect(await rejection(client.call('echo', 1))).toMatchObject({ code: 'ERR_INTERNAL' })
    })

    it('reports progress, the last report before the result', async () => {
      const { client } = join(createPorts, {
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
      const { client } = join(createPorts, {
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
      const { client } = join(createPorts, {
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
      const { client } = join(createPorts, { echo: { kind: 'unary', handle } })
      const late = rejection(client.call('echo', null, { signal: AbortSignal.timeout(20) }))
      expect(await late).toMatchObject({ code: 'ERR_TIMEOUT' })
      expect(await rejection(client.call('echo', null, { signal: AbortSignal.abort() }))).toMatchObject({
        code: 'ERR_ABORTED',
      })
      expect(handle).toHaveBeenCalledTimes(1)
    })

    it('leaves no listener on a signal that outlives it', async () => {
      const { client } = join(createPorts, { echo: { kind: 'unary', handle: async () => 1 } })
      const { signal } = new AbortController()
      const add = vi.spyOn(signal, 'addEventListener')
      const remove = vi.spyOn(signal, 'removeEventListener')
      await client.call('echo', 1, { signal })
      expect(add).toHaveBeenCalledTimes(1)
      expect(remove.mock.calls[0]?.[1]).toBe(add.mock.calls[0]?.[1])
    })

    it('is refused beyond the limit of calls under way', async () => {
      const gate = Promise.withResolvers<string>()
      const { client } = join(createPorts, { echo: { kind: 'unary', handle: () => gate.promise } })
      const calls = Array.from({ length: LIMITS.maxCallsPerPort }, () => client.call('echo', 1))
      const over = await rejection(client.call('echo', 1))
      expect(over).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED', detail: { limit: LIMITS.maxCallsPerPort } })
      gate.resolve('ok')
      expect(new Set(await Promise.all(calls))).toEqual(new Set(['ok']))
      expect(await client.call('echo', 1)).toBe('ok')
    })
  })

  describe('ping', () => {
    it('measures the round trip', async () => {
      const { client } = join(createPorts, {})
      expect(await client.ping(1000)).toBeGreaterThan(0)
    })

    it('times out when nobody answers', async () => {
      const [near, far] = createPorts()
      const client = createRpcClient<Methods>(near)
      closeAfter(client, far)
      expect(await rejection(client.ping(30))).toMatchObject({ code: 'ERR_TIMEOUT' })
    })
  })
})
