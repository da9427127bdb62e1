import type { LentError } from '../../../contract/webrtc-lending.ts'
import { PocketError } from '../../../shared/errors.ts'

/** An error of WebRTC, as it travels to the worker. */
export function toLentError(error: unknown): LentError {
  if (error instanceof PocketError) return { name: error.code, message: error.message }
  if (!(error instanceof Error)) return { name: 'OperationError', message: String(error) }
  const { name, message } = error
  // An RTCError; not every browser has the class.
  if (!('errorDetail' in error) || typeof error.errorDetail !== 'string') return { name, message }
  const cause = 'sctpCauseCode' in error && typeof error.sctpCauseCode === 'number' ? error.sctpCauseCode : null
  return { name, message, errorDetail: error.errorDetail, sctpCauseCode: cause }
}
