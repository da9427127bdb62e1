import type { NodeMethods } from '../contract/node-rpc.ts'
import type { RpcClient } from '../rpc/types.ts'
import { isPocketError } from '../shared/errors.ts'
import type { Keeper } from './keeper.ts'

type Rpc = RpcClient<NodeMethods>

/** A call that may be made twice: it goes on at the next host when its own is lost. */
export async function readOnce<R>(
  keeper: Keeper,
  signal: AbortSignal | undefined,
  call: (rpc: Rpc) => Promise<R>,
): Promise<R> {
  try {
    return await call((await keeper.session(signal)).rpc)
  } catch (error) {
    if (!isPocketError(error, 'ERR_HOST_LOST')) throw error
    return call((await keeper.session(signal)).rpc)
  }
}

/** Items may be asked for again as long as none was seen: the next host may list them in another order. */
export async function* readItems<R>(
  keeper: Keeper,
  signal: AbortSignal | undefined,
  call: (rpc: Rpc) => AsyncIterable<R>,
): AsyncGenerator<R> {
  let seen = false
  for (let tries = 0; ; tries++) {
    try {
      const { rpc } = await keeper.session(signal)
      for await (const item of call(rpc)) {
        seen = true
        yield item
      }
      return
    } catch (error) {
      if (seen || tries > 0 || !isPocketError(error, 'ERR_HOST_LOST')) throw error
    }
  }
}

export interface ReadRange {
  offset: number
  length: number | undefined
}

/** Bytes of one immutable content: goes on at the next host from the byte reached. */
export function readBytes(
  keeper: Keeper,
  signal: AbortSignal | undefined,
  range: ReadRange,
  call: (rpc: Rpc, range: ReadRange) => ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  let { offset, length } = range
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  let lostAt: number | undefined
  const read = async (): Promise<Uint8Array | undefined> => {
    for (;;) {
      try {
        reader ??= call((await keeper.session(signal)).rpc, { offset, length }).getReader()
        return (await reader.read()).value
      } catch (error) {
        // Once at any one byte: two hosts lost in a row without progress are no accident.
        if (!isPocketError(error, 'ERR_HOST_LOST') || lostAt === offset) throw error
        lostAt = offset
        reader = undefined
      }
    }
  }
  return new ReadableStream(
    {
      async pull(controller) {
        const bytes = length === 0 ? undefined : await read()
        if (bytes === undefined) return controller.close()
        offset += bytes.length
        if (length !== undefined) length -= bytes.length
        controller.enqueue(bytes)
      },
      cancel: (reason) => reader?.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

/** The stream without its first bytes. */
export function skipBytes(stream: ReadableStream<Uint8Array>, count: number): ReadableStream<Uint8Array> {
  if (count === 0) return stream
  let left = count
  return stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        if (bytes.length > left) controller.enqueue(bytes.subarray(left))
        left = Math.max(0, left - bytes.length)
      },
    }),
  )
}
