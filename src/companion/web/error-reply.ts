import { toWireError } from '../../shared/errors.ts'
import { jsonReply } from './reply.ts'
import type { ErrorCode, PocketError } from '../../shared/errors.ts'
import type { Reply } from './reply.ts'

/**
 * Any origin may ask: an app that is hosted elsewhere uses this companion too. Nothing here goes by cookies; who may do
 * what is decided by a proof or a token that another page does not have.
 */
export const API_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'www-authenticate, authentication-info, retry-after',
  'cross-origin-resource-policy': 'cross-origin',
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  ERR_INVALID_ARGUMENT: 400,
  ERR_INVALID_RECORD: 400,
  ERR_NOT_PROVEN: 401,
  ERR_NOT_ALLOWED: 403,
  ERR_NOT_FOUND: 404,
  ERR_UNKNOWN_METHOD: 404,
  ERR_RECORD_OUTDATED: 409,
}

/**
 * A refusal as JSON `{ code, message, detail? }`. A limit is a rate (`detail.retryAfterSeconds`, 429), a size
 * (`detail.maxBytes`, 413), or a number of things (409).
 */
export function errorReply(error: PocketError, headers: Record<string, string> = {}): Reply {
  const { code, message, detail } = toWireError(error)
  const wait = detail?.retryAfterSeconds
  return jsonReply(statusOf(error), detail === undefined ? { code, message } : { code, message, detail }, {
    ...API_HEADERS,
    ...(wait === undefined ? {} : { 'retry-after': String(wait) }),
    ...headers,
  })
}

function statusOf({ code, detail }: PocketError): number {
  if (code !== 'ERR_LIMIT_EXCEEDED') return STATUS[code] ?? 500
  if (detail?.retryAfterSeconds !== undefined) return 429
  return detail?.maxBytes === undefined ? 409 : 413
}
