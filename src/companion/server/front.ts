import { createServer as createTlsServer } from 'node:tls'
import type { Server as HttpServer } from 'node:http'
import type { Socket } from 'node:net'
import type { Server as TlsServer, TLSSocket } from 'node:tls'
import { clientKey, createCounter } from './address-limits.ts'
import { isTrustedProxy } from './client-address.ts'
import type { CompanionConfig } from '../config.ts'

export interface Credentials {
  /** PEM. */
  key: string
  cert: string
}

/** What stands between the raw port and the HTTP server: counts sockets, and tells TLS from plain HTTP on one port. */
export interface Front {
  accept(socket: Socket): void
  /** New hand-shakes use these. */
  setCredentials(credentials: Credentials): void
  /** Ends every socket at once, upgraded ones included, which the HTTP server no longer knows. */
  destroyAll(): void
}

type FrontConfig = Pick<
  CompanionConfig,
  'maxConnections' | 'maxConnectionsPerAddress' | 'headerTimeoutMs' | 'trustedProxies'
>

/** First byte of a TLS record that carries a hand-shake (RFC 8446, 5.1). No HTTP method begins with it. */
const TLS_HANDSHAKE = 0x16

const FULL = 'The companion has no room for another connection.\n'
const REFUSAL = `HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 10\r\nContent-Type: text/plain\r\nContent-Length: ${FULL.length}\r\n\r\n${FULL}`

export function createFront(config: FrontConfig, http: HttpServer, credentials?: Credentials): Front {
  const sockets = new Set<Socket>()
  const counter = createCounter(config.maxConnections, config.maxConnectionsPerAddress)
  // A proxy carries many clients: it has a place for each socket, and its clients are counted when they upgrade.
  const proxied = createCounter(config.maxConnections, config.maxConnections)
  const tls = credentials === undefined ? undefined : createTls(config, http, credentials)

  const classify = (socket: Socket): void => {
    if (tls === undefined) {
      http.emit('connection', socket)
      return
    }
    // Somebody who opens a socket and says nothing is not yet under any of the HTTP server's time-outs.
    const silent = setTimeout(() => socket.destroy(), config.headerTimeoutMs)
    socket.once('close', () => clearTimeout(silent))
    socket.once('readable', () => {
      clearTimeout(silent)
      const first: unknown = socket.read(1)
      if (!Buffer.isBuffer(first)) {
        socket.destroy()
        return
      }
      socket.unshift(first)
      const server = first[0] === TLS_HANDSHAKE ? tls : http
      server.emit('connection', socket)
    })
  }

  return {
    accept(socket) {
      const places = isTrustedProxy(socket.remoteAddress, config.trustedProxies) ? proxied : counter
      const release = places.take(clientKey(socket.remoteAddress ?? ''))
      // Resets and broken pipes of clients are everyday; the 'close' after it does what is to be done.
      socket.on('error', () => socket.destroy())
      if (release === undefined) {
        if (tls === undefined) socket.end(REFUSAL, () => socket.destroy())
        else socket.destroy()
        return
      }
      sockets.add(socket)
      socket.once('close', () => {
        sockets.delete(socket)
        release()
      })
      classify(socket)
    },
    setCredentials(next) {
      tls?.setSecureContext(next)
    },
    destroyAll() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

function createTls(config: FrontConfig, http: HttpServer, credentials: Credentials): TlsServer {
  const tls = createTlsServer({
    ...credentials,
    minVersion: 'TLSv1.2',
    handshakeTimeout: config.headerTimeoutMs,
    ALPNProtocols: ['http/1.1'],
  })
  tls.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => socket.destroy())
    http.emit('connection', socket)
  })
  tls.on('tlsClientError', (_error, socket) => socket.destroy())
  return tls
}
