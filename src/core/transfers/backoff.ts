import type { ErrorCode, PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'

/** What trying again cannot mend: it is so in the content itself, was asked for wrongly, or needs a person first. */
const FINAL = new Set<ErrorCode>([
  'ERR_INVALID_ARGUMENT',
  'ERR_INVALID_CID',
  'ERR_INVALID_PATH',
  'ERR_INVALID_NAME',
  'ERR_UNSUPPORTED_CODEC',
  'ERR_NOT_A_FILE',
  'ERR_NOT_A_DIRECTORY',
  'ERR_PATH_NOT_FOUND',
  'ERR_SOURCE_UNREADABLE',
  'ERR_SOURCE_CHANGED',
  'ERR_INVALID_BLOCK',
  'ERR_STORAGE_UNAVAILABLE',
  'ERR_STORAGE_VERSION',
  'ERR_QUOTA_EXCEEDED',
  'ERR_LIMIT_EXCEEDED',
  'ERR_ABORTED',
])

/** What others or the network are to blame for: it is tried as long as it takes. */
const OUTSIDE = new Set<ErrorCode>([
  'ERR_NOT_FOUND',
  'ERR_BLOCK_HASH_MISMATCH',
  'ERR_INVALID_CAR',
  'ERR_DIAL_FAILED',
  'ERR_RELAY_UNREACHABLE',
  'ERR_CERTIFICATE_REFUSED',
  'ERR_NO_WEBRTC',
  'ERR_OFFLINE',
  'ERR_NETWORK_START',
  'ERR_DATA_CAP',
  'ERR_SAVING_DATA',
  'ERR_TIMEOUT',
])

/** @param attempts tries without progress, this one included */
export function isFinal({ code }: PocketError, attempts: number): boolean {
  if (FINAL.has(code)) return true
  return !OUTSIDE.has(code) && attempts >= LIMITS.maxOwnFailures
}

/**
 * Before the next try, in ms: exponential, the upper half at random, so that what failed together does not come back
 * together.
 * @param attempts tries without progress so far, 1 at least
 */
export function retryDelay(attempts: number, random: () => number = Math.random): number {
  // Bounded first: 2 ** 2000 is no number to multiply with.
  const doublings = Math.min(attempts - 1, 30)
  const full = Math.min(LIMITS.maxRetryDelayMs, LIMITS.retryDelayMs * 2 ** doublings)
  return Math.round(full * (0.5 + random() / 2))
}
