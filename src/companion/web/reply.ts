import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { clientKey } from '../server/address-limits.ts'
import { clientAddress, isLoopback } from '../server/client-address.ts'

/** A request as the handlers see it. */
export interface WebRequest {
  method: string
  /** Decoded, begins with `/`, without query. */
  path: string
  headers: IncomingHttpHeaders
  /** Over TLS that ends here. */
  secure: boolean
  /** From this machine (or a proxy on it). */
  local: boolean
  /** From this machine itself, and not through a trusted proxy from elsewhere. */
  near: boolean
  /** What is counted as one client (`clientKey`). */
  client: string
  /** Empty where the handler takes none. */
  body: Uint8Array
}

export interface Reply {
  status: number
  /** Lower-case names. */
  headers?: Record<string, string>
  body?: string | Uint8Array
}

/** One entry of the ordered table of routes: the first that can, answers. */
export interface Handler {
  canHandle(request: WebRequest): boolean
  /** Bytes of a body that it takes for this request; 0 or none: no body. */
  maxBodyBytes?(request: WebRequest): number
  handle(request: WebRequest): Reply | Promise<Reply>
}

/** `undefined` where the target is no path that could name anything: bad escapes, NUL, an absolute URL of a proxy request. */
export function parseRequest(request: IncomingMessage, trustedProxies: readonly string[]): WebRequest | undefined {
  const path = decodePath(request.url ?? '')
  if (path === undefined) return undefined
  const client = clientAddress(request, trustedProxies).address
  return {
    method: request.method ?? 'GET',
    path,
    headers: request.headers,
    secure: (request.socket as Partial<TLSSocket>).encrypted === true,
    local: isLoopback(request.socket.remoteAddress),
    near: isLoopback(client),
    client: clientKey(client),
    body: new Uint8Array(0),
  }
}

export function textReply(status: number, sentence: string, headers: Record<string, string> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers },
    body: `${sentence}\n`,
  }
}

export function jsonReply(status: number, value: unknown, headers: Record<string, string> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(value),
  }
}

export function writeReply(reply: Reply, request: IncomingMessage, response: ServerResponse): void {
  const body = typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body
  const bodiless = reply.status === 204 || reply.status === 304
  response.writeHead(reply.status, {
    ...reply.headers,
    ...(bodiless ? {} : { 'content-length': String(body?.byteLength ?? 0) }),
  })
  response.end(request.method === 'HEAD' || bodiless ? undefined : body)
}

function decodePath(target: string): string | undefined {
  if (!target.startsWith('/')) return undefined
  try {
    const path = decodeURIComponent(target.split(/[?#]/, 1)[0] ?? '')
    return path.includes('\0') ? undefined : path
  } catch {
    return undefined
  }
}
