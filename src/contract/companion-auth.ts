import { toBase64Url } from '../shared/base64url.ts'

/**
 * How a peer proves its id to the companion over HTTP: libp2p's Peer ID Authentication (libp2p/specs, http/peer-id-auth.md).
 * Here is what both sides write and sign; keys are their own business. Both ways to begin are spoken: the client asks and
 * is challenged (two requests), or it challenges the companion first (three, and nothing is told to an impostor). After
 * either it has a bearer token, which is good for an hour and until the companion restarts.
 */
export const PEER_AUTH_SCHEME = 'libp2p-PeerID'

/** Names of the parameters in `WWW-Authenticate`, `Authorization` and `Authentication-Info`. */
export type AuthParam =
  'challenge-client' | 'challenge-server' | 'public-key' | 'opaque' | 'sig' | 'bearer' | 'expires' | 'hostname'

export type AuthParams = Partial<Record<AuthParam, string>>

/** Characters of a header that is read: the largest of ours has 700. go-libp2p and js-libp2p stop at the same. */
export const MAX_AUTH_CHARS = 2048

export function formatAuthParams(params: AuthParams): string {
  const list = Object.entries(params).map(([name, value]) => `${name}="${value}"`)
  return `${PEER_AUTH_SCHEME} ${list.join(', ')}`
}

/** `undefined` for another scheme, a parameter that comes twice, or nonsense. Commas may be missing, as in the specification's examples. */
export function parseAuthParams(header: string | null | undefined): AuthParams | undefined {
  if (header === null || header === undefined || header.length > MAX_AUTH_CHARS) return undefined
  const [scheme, list = ''] = split(header.trim())
  if (scheme.toLowerCase() !== PEER_AUTH_SCHEME.toLowerCase()) return undefined
  const params: Record<string, string> = Object.create(null) as Record<string, string>
  let rest = list
  while (rest !== '') {
    const match = /^([a-z-]{1,32})="([\w.:+/=-]*)"(?:\s*,\s*|\s+|$)/.exec(rest)
    const [whole = '', name = '', value = ''] = match ?? []
    if (match === null || name in params) return undefined
    params[name] = value
    rest = rest.slice(whole.length)
  }
  return params
}

/** What a signature is over: the parameters in alphabetical order, each with its length as varint in front. */
export function authBytes(params: Record<string, string | Uint8Array>): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder()
  const parts: Uint8Array[] = [encoder.encode(PEER_AUTH_SCHEME)]
  for (const [name, value] of Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bytes = typeof value === 'string' ? encoder.encode(value) : value
    const head = encoder.encode(`${name}=`)
    parts.push(varint(head.byteLength + bytes.byteLength), head, bytes)
  }
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.byteLength
  }
  return all
}

/** The `hostname` that is signed: of a URL's host or a `Host` header, in small letters, without port (the specification: the TLS server name). */
export function authHostname(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '')
}

/** A challenge of one's own: 32 random bytes. */
export function newChallenge(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)))
}

function split(header: string): [scheme: string, rest: string] {
  const end = header.search(/\s/)
  return end === -1 ? [header, ''] : [header.slice(0, end), header.slice(end).trim()]
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  return Uint8Array.from([...bytes, rest])
}
