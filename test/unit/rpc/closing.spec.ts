import { describe, expect, it } from 'vitest'
import type { RpcClient, RpcHandlers } from '../../../src/rpc/types.ts'
import { PocketError } from '../../../src/shared/errors.ts'
import { collect, counting, drain, join, rejection, WINDOW, type Methods } from './kit.ts'
import { PORTS } from './ports.ts'

describe.each(Object.entries(PORTS))('rpc over %s', (_name, createPorts) => {
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
      const { client, server } = join(createPorts, forever())
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
      const { client, server } = join(createPorts, forever())
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
      const { client } = join(createPorts, {
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
      const { client, server } = join(createPorts, {
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
})
