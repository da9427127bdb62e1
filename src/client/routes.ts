import { PocketError } from '../shared/errors.ts'
import { LIMITS } from '../shared/limits.ts'
import { aborted, delay, SilenceClock } from './clock.ts'
import { knock } from './door.ts'
import { currentGeneration } from './generation.ts'
import { greet, type Attached, type Introduction } from './handshake.ts'
import type { Leadership } from './leadership.ts'
import { findOwner } from './locks.ts'
import { openSharedWorker, type WorkerUrl } from './workers.ts'

/** Where one way to a host can lead. */
export type Outcome =
  | { kind: 'attached'; attached: Attached }
  /** The host that owns the node does not answer, or is of an older build: it has to be replaced. */
  | { kind: 'useless'; hostId: string; generation: number }
  /** There are no SharedWorkers here. */
  | { kind: 'no-shared-worker' }

/** Resolves with undefined when the signal fired before it led anywhere. */
export type Route = (signal: AbortSignal) => Promise<Outcome | undefined>

/** The first that leads somewhere; the others are given up. */
export async function firstOf(routes: Route[], signal: AbortSignal): Promise<Outcome | undefined> {
  const decided = new AbortController()
  const either = AbortSignal.any([signal, decided.signal])
  const tries = routes.map((route) => route(either))
  try {
    const first = await Promise.race(tries)
    for (const each of tries) void each.then((outcome) => outcome === first || detach(outcome)).catch(() => undefined)
    return first
  } finally {
    decided.abort()
  }
}

/** Two ways may arrive at once. */
function detach(outcome: Outcome | undefined): void {
  if (outcome?.kind === 'attached') outcome.attached.detach()
}

/** Between two tries of one way, in ms. */
const AGAIN_MS = 100

/** A worker that shows no sign of life for this long, in ms, cannot be loaded; a slow network needs its time. */
const LOAD_MS = 20_000

export function bySharedWorker(url: WorkerUrl, introduction: Introduction): Route {
  return async (signal) => {
    const deadline = performance.now() + LOAD_MS
    while (!signal.aborted && performance.now() < deadline) {
      const attempt = new AbortController()
      const broken = Promise.withResolvers<undefined>()
      try {
        const generation = currentGeneration()
        const port = openSharedWorker(url, generation, () => broken.resolve(undefined))
        const greeting = greet(crypto.randomUUID(), port, introduction, AbortSignal.any([signal, attempt.signal]))
        const outcome = await Promise.race([greeting, broken.promise])
        if (outcome?.kind === 'welcome') return { kind: 'attached', attached: outcome.attached }
        if (outcome?.kind === 'outdated') return { kind: 'useless', hostId: outcome.hostId, generation }
        if (outcome === undefined) {
          greeting.catch(() => undefined)
          break
        }
      } catch (error) {
        // The browser has no SharedWorker, or does not allow one here.
        if (!(error instanceof PocketError)) break
        throw error
      } finally {
        attempt.abort()
      }
      // Ended just now, or not the owner: the next of this name may be, or the owner is found at the door.
      await delay(AGAIN_MS, signal)
    }
    return signal.aborted ? undefined : { kind: 'no-shared-worker' }
  }
}

/** @param ownStarts whether a worker of this page is about to become the host: it has a port, which is faster */
export function byDoor(introduction: Introduction, waitMs: number, ownStarts = (): boolean => false): Route {
  return async (signal) => {
    await delay(waitMs, signal)
    // A host that was silent is not believed if it answers after all.
    const ignore = (hostId: string): boolean => hostId === introduction.replaces || ownStarts()
    while (!signal.aborted) {
      const clientId = crypto.randomUUID()
      const channel = await knock(clientId, ignore, signal)
      if (channel === undefined) break
      const generation = currentGeneration()
      const outcome = await greet(clientId, channel, introduction, signal)
      if (outcome.kind === 'welcome') return { kind: 'attached', attached: outcome.attached }
      if (outcome.kind === 'outdated') return { kind: 'useless', hostId: outcome.hostId, generation }
      await delay(AGAIN_MS, signal)
    }
    return undefined
  }
}

export function byOwnWorker(leadership: Leadership, introduction: Introduction): Route {
  return async (signal) => {
    while (!signal.aborted) {
      await Promise.race([leadership.turn(), aborted(signal)])
      const owner = await findOwner()
      // A SharedWorker of another page may run the node: the door leads there.
      if (!signal.aborted && (owner === undefined || owner === introduction.replaces)) {
        const attached = await leadership.tryWorker(async (worker) => {
          const greeting = greet(crypto.randomUUID(), worker.connect(), introduction, signal)
          const outcome = await Promise.race([greeting, worker.broken])
          return outcome.kind === 'welcome' ? outcome.attached : undefined
        })
        if (attached !== undefined) return { kind: 'attached', attached }
      }
      await delay(AGAIN_MS, signal)
    }
    return undefined
  }
}

/**
 * Not a way to a host, but the finding that the one there is answers by none of them.
 * @param known hosts that have answered, or are known to be silent already
 */
export function bySilence(known: ReadonlySet<string>): Route {
  return async (signal) => {
    const generation = currentGeneration()
    const clock = new SilenceClock()
    let owner: string | undefined
    while (!signal.aborted) {
      clock.expect(LIMITS.heartbeatMs)
      await delay(LIMITS.heartbeatMs, signal)
      const silentFor = clock.step()
      const now = await findOwner()
      // What has just come is not silent yet.
      if (now === undefined || known.has(now) || now !== owner) clock.reset()
      else if (silentFor >= LIMITS.heartbeatTimeoutMs) return { kind: 'useless', hostId: now, generation }
      owner = now
    }
    return undefined
  }
}
