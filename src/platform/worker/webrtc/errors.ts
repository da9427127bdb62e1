import type { LentError } from '../../../contract/webrtc-lending.ts'
import { isErrorCode, PocketError } from '../../../shared/errors.ts'

/** What WebRTC throws: callers of a standard API branch on the name of a DOMException. */
export function invalidState(message: string): DOMException {
  return new DOMException(message, 'InvalidStateError')
}

/** An RTCError where the browser's worker has none. */
export class LentRtcError extends DOMException {
  readonly errorDetail: string
  readonly sctpCauseCode: number | null

  constructor({ message, errorDetail = 'data-channel-failure', sctpCauseCode = null }: Omit<LentError, 'name'>) {
    super(message, 'OperationError')
    this.errorDetail = errorDetail
    this.sctpCauseCode = sctpCauseCode
  }
}

/** The error as it was thrown in the page. */
export function fromLentError({ name, message }: LentError): Error {
  if (name === 'TypeError') return new TypeError(message)
  return isErrorCode(name) ? new PocketError(name, message) : new DOMException(message, name)
}
