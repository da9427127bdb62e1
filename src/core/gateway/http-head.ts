import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'

/**
 * The little of HTTP/1.1 (RFC 9112) that two peers need on a libp2p stream, protocol `/http/1.1`
 * (https://github.com/libp2p/specs/tree/master/http): one request a stream, no body up, any body down.
 */
export const HTTP_PROTOCOL = '/http/1.1'

export interface HttpHead {
  /** `GET /ipfs/… HTTP/1.1` or `HTTP/1.1 200 OK`. */
  startLine: string
  /** Names in lower case; a repeated header keeps its first value. */
  headers: Map<string, string>
}

/** Reads the head; `rest` is what of the body came with it. @throws PocketError ERR_PROTOCOL */
export async function readHead(chunks: AsyncIterator<Uint8Array, void>): Promise<{ head: HttpHead; rest: Uint8Array }> {
  let seen = new Uint8Array()
  for (;;) {
    const { done, value } = await chunks.next()
    if (done === true) throw new PocketError('ERR_PROTOCOL', 'The HTTP head is cut', { detail: { cut: true } })
    const joined = new Uint8Array(seen.byteLength + value.byteLength)
    joined.set(seen)
    joined.set(value, seen.byteLength)
    const end = endOfHead(joined, Math.max(0, seen.byteLength - 3))
    if (end > LIMITS.maxHttpHeadBytes || (end < 0 && joined.byteLength > LIMITS.maxHttpHeadBytes)) {
      throw new PocketError('ERR_PROTOCOL', 'The HTTP head is too long')
    }
    if (end >= 0) return { head: parseHead(joined.subarray(0, end)), rest: joined.subarray(end + 4) }
    seen = joined
  }
}

export function formatHead(startLine: string, headers: Record<string, string>): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return new TextEncoder().encode([startLine, ...lines, '', ''].join('\r\n'))
}

function endOfHead(bytes: Uint8Array, from: number): number {
  for (let at = from; at + 3 < bytes.byteLength; at++) {
    if (bytes[at] === 13 && bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at
  }
  return -1
}

function parseHead(bytes: Uint8Array): HttpHead {
  // Latin-1: a head is octets; what is not ASCII is nobody's business here.
  const [startLine = '', ...lines] = new TextDecoder('latin1').decode(bytes).split('\r\n')
  const headers = new Map<string, string>()
  for (const line of lines) {
    const at = line.indexOf(':')
    if (at <= 0) throw new PocketError('ERR_PROTOCOL', 'An HTTP header has no name')
    const name = line.slice(0, at).trim().toLowerCase()
    if (!headers.has(name)) headers.set(name, line.slice(at + 1).trim())
  }
  return { startLine, headers }
}
