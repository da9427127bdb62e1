import { toPocketError } from '../shared/errors.ts'
import { LIMITS } from '../shared/limits.ts'

/** Resolves after `ms`, or when the signal fires. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}

/** The promise, or a rejection as soon as the signal fires. @throws PocketError ERR_ABORTED, ERR_TIMEOUT */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  const over = new AbortController()
  try {
    return await Promise.race([
      promise,
      aborted(AbortSignal.any([signal, over.signal])).then((): never => {
        throw toPocketError(signal.reason, 'ERR_ABORTED')
      }),
    ])
  } finally {
    over.abort()
  }
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** A timer later than this, in ms, was kept waiting: nothing else could be heard meanwhile either. */
const SLACK_MS = 20
/** A step later than this, in ms, means that this page was not awake. */
const LATE_MS = LIMITS.heartbeatMs / 2
/** What a page that has just woken gives the other to be heard, in ms: answers may wait in its queue. */
const GRACE_MS = LIMITS.heartbeatTimeoutMs / 2

/**
 * Measures how long another has been silent, in time that this page was awake. A page that is frozen, throttled or busy
 * hears nothing either, and must not blame the other for it: whatever its timers are late by is not counted.
 */
export class SilenceClock {
  #heardAt = performance.now()
  #due = Number.POSITIVE_INFINITY

  /** Something was heard, now or then. */
  reset(at = performance.now()): void {
    this.#heardAt = Math.max(this.#heardAt, at)
  }

  /** Says that `step` will be called after `ms`. */
  expect(ms: number): void {
    this.#due = performance.now() + ms
  }

  /** For how long nothing was heard, in ms. */
  step(): number {
    const now = performance.now()
    const late = now - this.#due
    if (late > SLACK_MS) this.#heardAt = Math.min(now, this.#heardAt + late)
    if (late > LATE_MS) this.#heardAt = Math.max(this.#heardAt, now - LIMITS.heartbeatTimeoutMs + GRACE_MS)
    return now - this.#heardAt
  }
}
