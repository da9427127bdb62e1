import { Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent, request } from 'node:https'
import { publicLookup } from './endpoint.ts'
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'

/** What a push service said. */
export interface PushAnswer {
  status: number
  /** Milliseconds, from Retry-After. */
  retryAfterMs?: number
}

export interface PushSender {
  /** Rejects where no answer came. Redirects are not followed: nobody but the endpoint gets the message. */
  send(endpoint: URL, headers: Record<string, string>, body: Uint8Array, signal: AbortSignal): Promise<PushAnswer>
  close(): void
}

/** Bytes of an answer that are read so that its connection can be used again; they say nothing that is needed. */
const MAX_ANSWER_BYTES = 16 * 1024
/** Connections to one push service: a wake takes a tenth of a second. */
const MAX_SOCKETS = 8

export function createPushSender({
  allowPrivate,
  timeoutMs,
}: {
  allowPrivate: boolean
  timeoutMs: number
}): PushSender {
  const pool = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: 1, timeout: timeoutMs }
  const agent = new Agent(pool)
  const plainAgent = new PlainAgent(pool)
  return {
    send(endpoint, headers, body, signal) {
      const options: RequestOptions = {
        method: 'POST',
        headers: { ...headers, 'content-length': body.byteLength },
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        ...(allowPrivate ? {} : { lookup: publicLookup }),
      }
      const sent =
        endpoint.protocol === 'https:'
          ? request(endpoint, { ...options, agent })
          : plainRequest(endpoint, { ...options, agent: plainAgent })
      sent.end(body)
      return answerOf(sent)
    },
    close() {
      agent.destroy()
      plainAgent.destroy()
    },
  }
}

function answerOf(sent: ClientRequest): Promise<PushAnswer> {
  return new Promise((resolve, reject) => {
    sent.once('error', reject)
    sent.once('response', (response: IncomingMessage) => {
      let size = 0
      response.on('data', (part: Buffer) => {
        size += part.byteLength
        if (size > MAX_ANSWER_BYTES) response.destroy()
      })
      // The status is what counts; a body that breaks off changes nothing.
      response.on('error', () => undefined)
      response.once('close', () => {
        const retryAfterMs = parseRetryAfter(response.headers['retry-after'], Date.now())
        resolve({ status: response.statusCode ?? 0, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
      })
    })
  })
}

/** RFC 9110, 10.2.3: seconds or a date. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}
