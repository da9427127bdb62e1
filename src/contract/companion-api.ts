import { fromBase64Url } from '../shared/base64url.ts'
import { PocketError } from '../shared/errors.ts'

/** `GET /.well-known/pocket-companion`: who the always-on peer of this origin is. */
export interface CompanionInfo {
  version: 1
  peerId: string
  /** Dialable from a browser, the peer id included. */
  multiaddrs: string[]
  /** `applicationServerKey` for this companion's pushes: a P-256 point in base64url. */
  vapidPublicKey?: string
  /** Paths below the origin; absent where the companion does not have the part. */
  endpoints: { health: string; ca?: string; push?: string; routing?: string }
  /** What the relay grants, so that a phone can say it in words. */
  limits: { reservations: number; reservationSeconds: number; circuitBytes: number; circuitSeconds: number }
}

/**
 * Delegated Routing V1 HTTP API: `/routing/v1/ipns/NAME`, GET and PUT of records (IPIP-379) of Ed25519 names. PUT is refused with 400
 * ERR_INVALID_RECORD, 409 ERR_RECORD_OUTDATED (`detail.sequence` is the newest known), 413 and 429 ERR_LIMIT_EXCEEDED; GET with
 * 404 ERR_NOT_FOUND. A GET may be answered by a cache for as long as the record's TTL says; `cache: 'no-cache'` asks anew.
 */
export const ROUTING_PATH = '/routing/v1'
export const IPNS_RECORD_TYPE = 'application/vnd.ipfs.ipns-record'

export const COMPANION_PATH = '/.well-known/pocket-companion'

export function parseCompanionInfo(value: unknown): CompanionInfo {
  if (!isRecord(value)) throw invalid('not an object')
  if (value.version !== 1) throw invalid(`version ${String(value.version)}`)
  const { peerId, multiaddrs, vapidPublicKey, endpoints, limits } = value
  if (typeof peerId !== 'string' || peerId === '') throw invalid('peerId')
  if (!Array.isArray(multiaddrs) || !multiaddrs.every((item) => typeof item === 'string')) throw invalid('multiaddrs')
  if (!isRecord(endpoints) || typeof endpoints.health !== 'string') throw invalid('endpoints')
  if (!isRecord(limits)) throw invalid('limits')
  const number = (name: string): number => {
    const field = limits[name]
    if (typeof field !== 'number' || !Number.isFinite(field) || field < 0) throw invalid(`limits.${name}`)
    return field
  }
  return {
    version: 1,
    peerId,
    multiaddrs,
    ...(typeof vapidPublicKey === 'string' && isPublicKey(vapidPublicKey) ? { vapidPublicKey } : {}),
    endpoints: {
      health: endpoints.health,
      ...(typeof endpoints.ca === 'string' ? { ca: endpoints.ca } : {}),
      ...(typeof endpoints.push === 'string' ? { push: endpoints.push } : {}),
      ...(typeof endpoints.routing === 'string' ? { routing: endpoints.routing } : {}),
    },
    limits: {
      reservations: number('reservations'),
      reservationSeconds: number('reservationSeconds'),
      circuitBytes: number('circuitBytes'),
      circuitSeconds: number('circuitSeconds'),
    },
  }
}

/** An uncompressed point has 65 bytes and begins with 4. */
function isPublicKey(text: string): boolean {
  const bytes = fromBase64Url(text)
  return bytes?.byteLength === 65 && bytes[0] === 4
}

function invalid(what: string): PocketError {
  return new PocketError('ERR_PROTOCOL', `The companion's description is not understood: ${what}`)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
