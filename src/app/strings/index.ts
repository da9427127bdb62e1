import { toPocketError, type ErrorCode, type PocketError, type WireError } from '../../shared/errors.ts'
import { en } from './en.ts'
import { errorsEn, type FailureText } from './errors-en.ts'

export type { FailureText } from './errors-en.ts'

/** The sentences in use. A second language chooses here. */
export const t = en

export interface Failure extends FailureText {
  code: ErrorCode
  /** The node's own words, for Details. */
  message: string
}

/** What a person is told about any failure: what happened, why, and what to do now. */
export function describeFailure(error: unknown): Failure {
  const { code, message } = isWire(error) ? error : toPocketError(error)
  return { ...errorsEn[code], code, message: withCauses(message, error) }
}

function withCauses(message: string, error: unknown): string {
  const lines = [message]
  let cause = (error as PocketError | WireError | null)?.cause
  while (typeof cause === 'object' && cause !== null && 'message' in cause && lines.length < 4) {
    lines.push(String(cause.message))
    cause = (cause as PocketError).cause
  }
  return lines.join(' ← ')
}

function isWire(error: unknown): error is WireError {
  return (
    typeof error === 'object' && error !== null && !(error instanceof Error) && 'code' in error && 'message' in error
  )
}
