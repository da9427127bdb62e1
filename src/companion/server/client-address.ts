import { isIP } from 'node:net'
import type { IncomingMessage } from 'node:http'

/** Who asks: the socket's address, or what a trusted proxy says of it. */
export interface ClientAddress {
  address: string
  /** 0 where only a proxy knows it. */
  port: number
}

/**
 * A proxy appends the address that it saw, so the last entry that is not itself a trusted proxy is the client; whatever
 * stands before was written by the client and proves nothing.
 */
export function clientAddress(request: IncomingMessage, trustedProxies: readonly string[]): ClientAddress {
  const direct = { address: plain(request.socket.remoteAddress ?? '0.0.0.0'), port: request.socket.remotePort ?? 0 }
  if (!isTrustedProxy(direct.address, trustedProxies)) return direct
  const forwarded = [request.headers['x-forwarded-for'] ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((entry) => plain(entry.trim()))
  const client = forwarded.findLast((entry) => !trustedProxies.includes(entry))
  return client === undefined || isIP(client) === 0 ? direct : { address: client, port: 0 }
}

/** Exactly the configured addresses: a neighbour in the same /64 network is a stranger. */
export function isTrustedProxy(address: string | undefined, trustedProxies: readonly string[]): boolean {
  return trustedProxies.includes(plain(address ?? ''))
}

export function isLoopback(address: string | undefined): boolean {
  const bare = plain(address ?? '')
  return bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'))
}

/** An IPv4 address as such also where a dual-stack socket says ::ffff:1.2.3.4. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}
