import type { Connection, Stream } from '@libp2p/interface'
import type { BlockSource } from '../content/block-source.ts'
import { encodeHeader, encodeSectionHead } from '../car/encode.ts'
import { PocketError, toPocketError, type ErrorCode } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { blocksFor } from './blocks-for.ts'
import { formatHead, readHead, type HttpHead } from './http-head.ts'
import {
  CAR_TYPE,
  LINKS_HEADER,
  parseGatewayRequest,
  RAW_TYPE,
  type CarRequest,
  type GatewayRequest,
} from './request.ts'
import { createSend } from './send.ts'
import { createSlots } from './slots.ts'

/** Answers trustless-gateway requests of peers, one a stream. */
export interface Gateway {
  /** Never rejects: what goes wrong is told to the peer, or ends the stream. */
  serve(stream: Stream, connection: Pick<Connection, 'remotePeer'>): Promise<void>
}

/** Called when a peer is about to be answered: what it returns hears of the bytes, and of the end. */
export type OnAnswer = (peerId: string, cid: string) => { sent(bytes: number): void; end(): void }

const quiet: OnAnswer = () => ({ sent: () => undefined, end: () => undefined })

/** From the store only: asking this node must not make it ask others. */
export function createGateway(
  source: Pick<BlockSource, 'getLocal'>,
  onAnswer: OnAnswer = quiet,
  serves: () => boolean = () => true,
): Gateway {
  const local: Pick<BlockSource, 'get'> = { get: (cid) => source.getLocal(cid) }
  const slots = createSlots()
  return {
    async serve(stream, { remotePeer }) {
      const peer = remotePeer.toString()
      const slot = serves() ? slots.take(peer, () => stream.abort(new PocketError('ERR_LIMIT_EXCEEDED'))) : undefined
      if (slot === undefined) return refuse(stream, '429 Too Many Requests', '')
      try {
        await answer(stream, local, (cid) => {
          const told = onAnswer(peer, cid)
          return {
            sent(bytes) {
              slot.sent(bytes)
              told.sent(bytes)
            },
            end: () => told.end(),
          }
        })
      } finally {
        slot.release()
      }
    },
  }
}

async function answer(
  stream: Stream,
  source: Pick<BlockSource, 'get'>,
  onAnswer: (cid: string) => ReturnType<OnAnswer>,
): Promise<void> {
  let told: ReturnType<OnAnswer>
  let parts: AsyncGenerator<Uint8Array, void>
  let first: IteratorResult<Uint8Array, void>
  try {
    const request = await readRequest(stream)
    parts = request.kind === 'raw' ? rawParts(request, source) : carParts(request, source)
    // What comes first decides between 200 and 404.
    first = await parts.next()
    told = onAnswer(request.cid.toString())
  } catch (error) {
    const { code, message } = toPocketError(error)
    return refuse(stream, STATUS[code] ?? '500 Internal Server Error', `${code}: ${message}\n`)
  }
  const send = createSend(stream)
  try {
    for (let part = first; part.done !== true; part = await parts.next()) {
      await send(part.value)
      told.sent(part.value.byteLength)
    }
    await stream.close()
  } catch (error) {
    // The head is out: only a broken stream tells that the body is not whole.
    stream.abort(error instanceof Error ? error : new Error(String(error)))
  } finally {
    told.end()
  }
}

function refuse(stream: Stream, status: string, text: string): void {
  try {
    stream.send(formatHead(`HTTP/1.1 ${status}`, { 'content-type': 'text/plain', connection: 'close' }))
    stream.send(new TextEncoder().encode(text))
    stream.close().catch((reason: Error) => stream.abort(reason))
  } catch {
    // The peer is gone: nobody to tell.
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

async function* rawParts({ cid }: GatewayRequest, source: Pick<BlockSource, 'get'>): AsyncGenerator<Uint8Array, void> {
  const bytes = await source.get(cid)
  const headers = { 'content-type': RAW_TYPE, 'content-length': String(bytes.byteLength) }
  yield formatHead('HTTP/1.1 200 OK', { ...headers, connection: 'close' })
  yield bytes
}

async function* carParts(request: CarRequest, source: Pick<BlockSource, 'get'>): AsyncGenerator<Uint8Array, void> {
  const blocks = blocksFor(request, source, {})
  let block = await blocks.next()
  const { links } = request
  yield formatHead('HTTP/1.1 200 OK', {
    'content-type': CAR_TYPE,
    ...(links === undefined ? {} : { [LINKS_HEADER]: `${links.from}:${links.to}` }),
    connection: 'close',
  })
  yield encodeHeader([request.cid])
  for (; block.done !== true; block = await blocks.next()) {
    const { cid, bytes } = block.value
    yield encodeSectionHead(cid, bytes.byteLength)
    yield bytes
  }
}
