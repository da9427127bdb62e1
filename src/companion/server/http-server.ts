import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { CompanionConfig } from '../config.ts'

export interface HttpHandlers {
  request: (request: IncomingMessage, response: ServerResponse) => void
  /** Only for `Upgrade: websocket`; any other upgrade is answered as the plain request that it also is (RFC 9110, 7.8). */
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

type HttpConfig = Pick<CompanionConfig, 'headerTimeoutMs' | 'requestTimeoutMs' | 'idleTimeoutMs' | 'maxHeaderBytes'>

/** Sockets are handed to it (`emit('connection')`), it opens no port itself. */
export function createHttpServer(config: HttpConfig, handlers: HttpHandlers): Server {
  const server = createServer({
    headersTimeout: config.headerTimeoutMs,
    requestTimeout: Math.max(config.headerTimeoutMs, config.requestTimeoutMs),
    keepAliveTimeout: config.idleTimeoutMs,
    maxHeaderSize: config.maxHeaderBytes,
    connectionsCheckingInterval: Math.min(1000, config.headerTimeoutMs),
    shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === 'websocket',
  })
  server.timeout = config.idleTimeoutMs
  server.on('request', handlers.request)
  server.on('upgrade', handlers.upgrade)
  // Node begins to enforce headersTimeout and requestTimeout at 'listening', which a server that opens no port never
  // gets: without this line slow headers are never cut.
  server.emit('listening')
  return server
}
