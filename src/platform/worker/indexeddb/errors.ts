import { PocketError, toPocketError } from '../../../shared/errors.ts'

/** Gives what IndexedDB throws a code. */
export function toStorageError(error: unknown): PocketError {
  if (error instanceof PocketError) return error
  const name = error instanceof Error ? error.name : ''
  if (name === 'VersionError') return new PocketError('ERR_STORAGE_VERSION', undefined, { cause: error })
  // Ours is a bug, not a lost database: a value that cannot be cloned, a key that is none.
  if (name === 'DataCloneError' || name === 'DataError')
    return new PocketError('ERR_INTERNAL', undefined, { cause: error })
  // Chromium says UnknownError 'Encountered full disk …' where the disk, not the quota, is full.
  if (name === 'UnknownError' && error instanceof Error && /full disk/i.test(error.message)) {
    return new PocketError('ERR_QUOTA_EXCEEDED', undefined, { cause: error })
  }
  // An AbortError here is a transaction that the browser aborted, not a caller who cancelled.
  if (name === 'AbortError') return new PocketError('ERR_STORAGE_LOST', undefined, { cause: error })
  return toPocketError(error, 'ERR_STORAGE_LOST')
}
