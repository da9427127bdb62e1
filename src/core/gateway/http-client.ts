import type { Stream } from '@libp2p/interface'
import { PocketError } from '../../shared/errors.ts'
import { formatHead, readHead } from './http-head.ts'
import { chunksOf } from './stream-chunks.ts'

export interface HttpResponse {
  status: number
  headers: Map<string, string>
  /** The body, decoded from chunks; throws ERR_PROTOCOL where it is cut. */
  body: AsyncGenerator<Uint8Array, void>
}

/**
 * Asks on a fresh stream and reads the head of the answer. Who does not read the body to its end aborts the stream.
 * @throws PocketError ERR_PROTOCOL
 */
export async function httpGet(stream: Stream, path: string, accept: string): Promise<HttpResponse> {
  stream.send(formatHead(`GET ${path} HTTP/1.1`, { host: 'libp2p', accept, connection: 'close' }))
  // The write side stays open: Go's server takes its end for a hang-up of the client.
  const chunks = chunksOf(stream)
  const { head, rest } = await readHead(chunks)
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(head.startLine)?.[1]
  if (status === undefined) throw new PocketError('ERR_PROTOCOL', 'This is not an HTTP response')
  return { status: Number(status), headers: head.headers, body: decodeBody(head.headers, prepend(rest, chunks)) }
}

function decodeBody(
  headers: Map<string, string>,
  bytes: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array, void> {
  if (headers.get('transfer-encoding')?.toLowerCase() === 'chunked') return decodeChunked(bytes)
  const length = headers.get('content-length')
  if (length === undefined) return bytes
  if (!/^\d{1,15}$/.test(length)) throw new PocketError('ERR_PROTOCOL', 'Content-Length is not a number')
  return take(bytes, Number(length))
}

async function* prepend(first: Uint8Array, rest: AsyncGenerator<Uint8Array, void>): AsyncGenerator<Uint8Array, void> {
  try {
    if (first.byteLength > 0) yield first
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

async function* take(bytes: AsyncGenerator<Uint8Array, void>, length: number): AsyncGenerator<Uint8Array, void> {
  let left = length
  try {
    while (left > 0) {
      const { done, value } = await bytes.next()
      if (done === true) throw cut()
      yield value.subarray(0, left)
      left -= Math.min(left, value.byteLength)
    }
  } finally {
    await bytes.return(undefined)
  }
}

/** RFC 9112 §7.1. Extensions and trailers are read over. */
async function* decodeChunked(bytes: AsyncGenerator<Uint8Array, void>): AsyncGenerator<Uint8Array, void> {
  let buffer = new Uint8Array()
  const fill = async (): Promise<void> => {
    const { done, value } = await bytes.next()
    if (done === true) throw cut()
    if (buffer.byteLength === 0) {
      buffer = value as Uint8Array<ArrayBuffer>
      return
    }
    const joined = new Uint8Array(buffer.byteLength + value.byteLength)
    joined.set(buffer)
    joined.set(value, buffer.byteLength)
    buffer = joined
  }
  const line = async (): Promise<string> => {
    for (;;) {
      const at = buffer.indexOf(10)
      if (at >= 0) {
        const text = new TextDecoder('latin1').decode(buffer.subarray(0, at)).trimEnd()
        buffer = buffer.subarray(at + 1)
        return text
      }
      if (buffer.byteLength > 1024) throw new PocketError('ERR_PROTOCOL', 'A chunk has no length')
      await fill()
    }
  }
  try {
    for (;;) {
      const size = /^([0-9a-f]{1,8})(?:;|$)/i.exec(await line())?.[1]
      if (size === undefined) throw new PocketError('ERR_PROTOCOL', 'A chunk has no length')
      let left = Number.parseInt(size, 16)
      if (left === 0) return
      while (left > 0) {
        if (buffer.byteLength === 0) await fill()
        const part = buffer.subarray(0, left)
        buffer = buffer.subarray(part.byteLength)
        left -= part.byteLength
        yield part
      }
      if ((await line()) !== '') throw new PocketError('ERR_PROTOCOL', 'A chunk is longer than it says')
    }
  } finally {
    await bytes.return(undefined)
  }
}

function cut(): PocketError {
  return new PocketError('ERR_PROTOCOL', 'The HTTP body is cut', { detail: { cut: true } })
}
