import { isPocketError, PocketError } from '../../../shared/errors.ts'

/** A wrong answer, where an answer that is cut is a failure like others. */
export function isLie(error: PocketError): boolean {
  return LIES.has(error.code) && error.detail?.cut !== true
}

const LIES = new Set<string>(['ERR_BLOCK_HASH_MISMATCH', 'ERR_BLOCK_TOO_LARGE', 'ERR_INVALID_CAR', 'ERR_PROTOCOL'])

/** The source said that this was all. */
export const incomplete = (): PocketError =>
  new PocketError('ERR_NOT_FOUND', 'The answer is not whole', { detail: { cut: true } })

/** The part is larger than its maker said. */
export function isTooLarge(error: unknown): boolean {
  return isPocketError(error, 'ERR_LIMIT_EXCEEDED') && error.detail?.status === undefined
}

/** The store's own failures, and what is wrong with the content whoever sends it. */
export function isFatal(error: PocketError): boolean {
  if (error.code === 'ERR_INVALID_BLOCK' || error.code === 'ERR_UNSUPPORTED_CODEC') return true
  return error.code === 'ERR_QUOTA_EXCEEDED' || error.code === 'ERR_CLOSED' || error.code.startsWith('ERR_STORAGE')
}

export function notFound(cause: PocketError | undefined): PocketError {
  return new PocketError('ERR_NOT_FOUND', undefined, cause === undefined ? {} : { cause })
}
