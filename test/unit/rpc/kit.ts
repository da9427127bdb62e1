import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach } from 'vitest'
import { createRpcClient } from '../../../src/rpc/client.ts'
import { serveRpc } from '../../../src/rpc/server.ts'
import type { RpcClient, RpcHandlers, RpcServer } from '../../../src/rpc/types.ts'
import type { PocketError } from '../../../src/shared/errors.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import type { PORTS } from './ports.ts'

export interface Methods {
  echo: { kind: 'unary'; params: unknown; result: unknown; progress: number }
  read: { kind: 'bytes'; params: unknown }
  list: { kind: 'items'; params: unknown; result: number }
}

export const MiB = 1024 * 1024
export const WINDOW = LIMITS.portWindowBytes

const ends: { close(): void }[] = []

/** Closes both ends after the test. */
export function closeAfter(...more: { close(): void }[]): void {
  ends.push(...more)
}

afterEach(() => {
  for (const end of ends.splice(0)) end.close()
})

/** A client and a server on the two ends of a port. */
export function join(
  createPorts: (typeof PORTS)[string],
  handlers: RpcHandlers,
): { client: RpcClient<Methods>; server: RpcServer } {
  const [near, far] = createPorts()
  const server = serveRpc(far, handlers)
  const client = createRpcClient<Methods>(near)
  closeAfter(client, server)
  return { client, server }
}

/** An endless (or `chunks` long) source that knows how far it was read. */
export function counting(chunkBytes: number, chunks = Infinity) {
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

export async function* numbers(count: number): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) yield i
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of source) all.push(item)
  return all
}

export async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

export async function rejection(promise: Promise<unknown>): Promise<PocketError> {
  try {
    await promise
  } catch (error) {
    return error as PocketError
  }
  throw new Error('It did not fail')
}
