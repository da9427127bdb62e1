import type { Stream } from '@libp2p/interface'
import type { BlockSource } from '../content/block-source.ts'
import { encodeHeader, encodeSectionHead } from '../car/encode.ts'
import { PocketError, toPocketError, type ErrorCode } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { blocksFor } from './blocks-for.ts'
import { formatHead, readHead, type HttpHead } from './http-head.ts'
import { parseGatewayRequest, type GatewayRequest } from './request.ts'

/** Answers one request on a stream, from the store only: asking this node must not make it ask others. */
export async function serveGateway(stream: Stream, source: Pick<BlockSource, 'getLocal'>): Promise<void> {
  const local: Pick<BlockSource, 'get'> = { get: (cid) => source.getLocal(cid) }
  try {
    const request = await readRequest(stream)
    if (request.kind === 'raw') await sendRaw(stream, request, local)
    else await sendCar(stream, request, local)
    await stream.close()
  } catch (error) {
    if (stream.status === 'open') {
      const { code, message } = toPocketError(error)
      stream.send(
        formatHead(`HTTP/1.1 ${STATUS[code] ?? '500 Internal Server Error'}`, {
          'content-type': 'text/plain',
          connection: 'close',
        }),
      )
      stream.send(new TextEncoder().encode(`${code}: ${message}\n`))
      await stream.close().catch((reason: Error) => stream.abort(reason))
    }
  }
}

const STATUS: Partial<Record<ErrorCode, string>> = {
  ERR_INVALID_PATH: '400 Bad Request',
  ERR_INVALID_CID: '400 Bad Request',
  ERR_INVALID_ARGUMENT: '400 Bad Request',
  ERR_PROTOCOL: '400 Bad Request',
  ERR_UNSUPPORTED_CODEC: '501 Not Implemented',
  ERR_NOT_FOUND: '404 Not Found',
}

async function readRequest(stream: Stream): Promise<GatewayRequest> {
  const signal = AbortSignal.timeout(LIMITS.requestHeadTimeoutMs)
  const abort = (): void => stream.abort(new PocketError('ERR_TIMEOUT'))
  signal.addEventListener('abort', abort)
  try {
    // Not `chunksOf`: reading no further must not reset a stream that is still to be written to.
    const { head } = await readHead(plain(stream))
    const { method, target } = startLine(head)
    if (method !== 'GET') throw new PocketError('ERR_INVALID_ARGUMENT', 'Only GET is answered')
    return parseGatewayRequest(target, head.headers.get('accept'))
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

async function* plain(stream: Stream): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of stream) yield chunk instanceof Uint8Array ? chunk : chunk.subarray()
}

function startLine({ startLine: line }: HttpHead): { method: string; target: string } {
  const found = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/.exec(line)
  if (found === null) throw new PocketError('ERR_PROTOCOL', 'This is not an HTTP request')
  return { method: found[1] ?? '', target: found[2] ?? '' }
}

async function sendRaw(stream: Stream, { cid }: GatewayRequest, source: Pick<BlockSource, 'get'>): Promise<void> {
  const bytes = await source.get(cid)
  const headers = { 'content-type': 'application/vnd.ipld.raw', 'content-length': String(bytes.byteLength) }
  await send(stream, formatHead('HTTP/1.1 200 OK', { ...headers, connection: 'close' }))
  await send(stream, bytes)
}

async function sendCar(
  stream: Stream,
  request: Extract<GatewayRequest, { kind: 'car' }>,
  source: Pick<BlockSource, 'get'>,
): Promise<void> {
  const blocks = blocksFor(request, source, {})
  // The first block decides between 200 and 404.
  const first = await blocks.next()
  const type = 'application/vnd.ipld.car; version=1; order=dfs; dups=n'
  await send(stream, formatHead('HTTP/1.1 200 OK', { 'content-type': type, connection: 'close' }))
  await send(stream, encodeHeader([request.cid]))
  for (let next = first; next.done !== true; next = await blocks.next()) {
    const { cid, bytes } = next.value
    await send(stream, encodeSectionHead(cid, bytes.byteLength))
    await send(stream, bytes)
  }
}

async function send(stream: Stream, bytes: Uint8Array): Promise<void> {
  if (!stream.send(bytes)) await stream.onDrain()
}
