import type { FetchSource } from '../../../contract/node-api.ts'
import { isPocketError, toPocketError, toWireError, type PocketError } from '../../../shared/errors.ts'
import { LIMITS } from '../../../shared/limits.ts'
import { isLie } from './faults.ts'
import type { Source } from './source.ts'

/** How a source has done in one fetch: who gets the next part, and who none. */
export interface Standing {
  readonly source: Source
  /** Jobs that it has. */
  running: number
  /** Bytes a second for each of its jobs, of late; undefined until it was seen at work. */
  rate: number | undefined
  /** What it was dropped for last. */
  readonly error: PocketError | undefined
  /** Bytes a second of all its jobs together, of late; 0 until it was seen at work. */
  readonly speed: number
  /** Bytes of a file that are worth one request: some seconds' work. */
  window(): number
  /** Whether it may have a job now. */
  ready(now: number): boolean
  /** Whether it may have one later without anything happening; ms from then, or undefined. */
  readyIn(now: number): number | undefined
  /** Bytes that came, as they were sent. */
  came(bytes: number): void
  /** Verified bytes of its that were missing. */
  brought(bytes: number): void
  /** Once for each interval of `ms`, while it has jobs. */
  tick(ms: number): void
  failed(error: unknown, now: number): void
  describe(now: number): FetchSource
}

/** The first pause after a failure, in ms; it doubles with each one that follows, up to the last. */
const PAUSE_MS = 500
const MAX_PAUSE_MS = 30_000
/** Of one whose connection was lost, until that is known everywhere: it may be back at once. */
const GONE_MS = 50
/** Weight of the last interval in a rate. */
const FRESH = 0.3
/** A request is to take so long, in s: what asking costs is little beside it, and what a slow source holds as well. */
const WINDOW_S = 2
/** Of a source that is not known yet. */
const FIRST_WINDOW_BYTES = 2 * LIMITS.minCarWindowBytes

export function createStanding(source: Source): Standing {
  let bytes = 0
  let since = 0
  let strikes = 0
  let until = 0
  let banned = false
  let lanes = source.lanes
  const standing = {
    source,
    running: 0,
    rate: undefined as number | undefined,
    speed: 0,
    error: undefined as PocketError | undefined,
    window() {
      const bytes = Math.floor(((standing.rate ?? 0) * WINDOW_S) / LIMITS.minCarWindowBytes) * LIMITS.minCarWindowBytes
      return Math.min(LIMITS.carWindowBytes, Math.max(FIRST_WINDOW_BYTES, bytes))
    },
    ready: (now: number) => !banned && now >= until && standing.running < lanes,
    readyIn: (now: number) => (banned ? undefined : Math.max(0, until - now)),
    came(size: number) {
      since += size
    },
    brought(size: number) {
      bytes += size
      strikes = 0
      standing.error = undefined
    },
    tick(ms: number) {
      // Of one that was through before the interval was, too.
      const jobs = Math.max(1, standing.running)
      if (standing.running === 0 && since === 0) return
      const speed = (since * 1000) / ms
      since = 0
      if (standing.rate === undefined && speed === 0) return
      standing.speed = standing.rate === undefined ? speed : mix(standing.speed, speed)
      standing.rate = mix(standing.rate ?? speed / jobs, speed / jobs)
    },
    failed(error: unknown, now: number) {
      const coded = toPocketError(error)
      standing.error = coded
      banned ||= isLie(coded) && !source.shared
      if (source.gone?.() === true) return void (until = Math.max(until, now + GONE_MS))
      // Too many at once for it: fewer then, and soon again.
      if (isPocketError(coded, 'ERR_LIMIT_EXCEEDED')) lanes = Math.max(1, Math.min(lanes, standing.running))
      until = now + Math.min(MAX_PAUSE_MS, PAUSE_MS * 2 ** strikes++)
    },
    describe(now: number): FetchSource {
      const { kind, id } = source
      const dropped = banned || now < until
      const state = standing.running > 0 && !banned ? 'active' : dropped ? 'dropped' : 'idle'
      return { kind, id, bytes, state, ...(standing.error === undefined ? {} : { error: toWireError(standing.error) }) }
    },
  }
  return standing
}

const mix = (before: number, now: number): number => before * (1 - FRESH) + now * FRESH

/** Nobody is left to hope for: all who are there have lied. */
export function onlyLiars(all: Standing[]): boolean {
  return all.length > 0 && all.every(({ running, error }) => running === 0 && error !== undefined && isLie(error))
}
