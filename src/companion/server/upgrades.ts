import { STATUS_CODES } from 'node:http'
import { WebSocketServer } from 'ws'
import { clientKey, createCounter, createRate } from './address-limits.ts'
import { clientAddress, isLoopback } from './client-address.ts'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { WebSocket } from 'ws'
import type { CompanionConfig } from '../config.ts'
import type { ClientAddress } from './client-address.ts'

export interface Upgrades {
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

export interface UpgradesInit {
  config: Pick<
    CompanionConfig,
    | 'trustedProxies'
    | 'upgradesPerSecond'
    | 'upgradeBurst'
    | 'maxPendingUpgrades'
    | 'maxConnections'
    | 'maxConnectionsPerAddress'
    | 'maxMessageBytes'
    | 'maxPeers'
    | 'localAuthority'
  >
  /** `undefined` while there is none to hand sockets to. */
  relay: () =>
    { accept(socket: WebSocket, client: ClientAddress): Promise<void>; stats(): { peers: number } } | undefined
}

/** Turns `Upgrade: websocket` into libp2p connections, within limits by client address; a refusal says why before anything is spent. */
export function createUpgrades({ config, relay }: UpgradesInit): Upgrades {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: config.maxMessageBytes,
    // libp2p's noise is ciphertext: it does not compress.
    perMessageDeflate: false,
    // libp2p sends no text, so there is none to check.
    skipUTF8Validation: true,
    clientTracking: false,
  })
  const rate = createRate(config.upgradesPerSecond, config.upgradeBurst)
  const open = createCounter(config.maxConnections, config.maxConnectionsPerAddress)
  const pending = createCounter(config.maxPendingUpgrades, config.upgradeBurst)

  return {
    handle(request, socket, head) {
      // The socket's owner destroys it on errors; unheard on this wrapper they would end the process.
      socket.on('error', () => socket.destroy())
      const running = relay()
      const client = clientAddress(request, config.trustedProxies)
      const key = clientKey(client.address)
      if ((request.url ?? '').split('?', 1)[0] !== '/') return refuse(socket, 404, 'The relay is at the path /.')
      if (config.localAuthority && !isEncrypted(request) && !isLoopback(request.socket.remoteAddress)) {
        return refuse(socket, 403, 'From the network the relay is reached over TLS.')
      }
      if (running === undefined) return refuse(socket, 503, 'The relay is not running.', 1)
      if (!rate.take(key)) return refuse(socket, 429, 'Too many new connections from this address.', 1)
      if (running.stats().peers >= config.maxPeers) return refuse(socket, 503, 'The relay is full.', 60)
      const closed = open.take(key)
      if (closed === undefined) return refuse(socket, 429, 'Too many open connections from this address.', 60)
      socket.once('close', closed)
      const settled = pending.take(key)
      if (settled === undefined) return refuse(socket, 503, 'Too many connections are being set up.', 1)
      socket.once('close', settled)
      server.handleUpgrade(request, socket, head, (webSocket) => {
        running
          .accept(webSocket, client)
          // Everyday, and whoever wants could fill a log with it: DEBUG=pocket:companion:upgrade shows them.
          .catch(() => undefined)
          .finally(settled)
      })
    },
  }
}

function refuse(socket: Duplex, status: number, sentence: string, retryAfterSeconds?: number): void {
  const body = `${sentence}\n`
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
    ...(retryAfterSeconds === undefined ? [] : [`Retry-After: ${retryAfterSeconds}`]),
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

function isEncrypted(request: IncomingMessage): boolean {
  return (request.socket as Partial<TLSSocket>).encrypted === true
}
