import type { Activity, NodeEvent, WatchHandle } from '../contract/node-api.ts'
import { isPocketError, toWireError } from '../shared/errors.ts'

/** Fans events out to watchers; a new watcher first hears the present state of everything. */
export interface EventHub {
  emit(event: NodeEvent): void
  watch(listener: (event: NodeEvent) => void, present: NodeEvent[]): WatchHandle
}

export function createEventHub(): EventHub {
  const listeners = new Set<(event: NodeEvent) => void>()
  return {
    emit: (event) => {
      for (const listener of listeners) listener(event)
    },
    watch(listener, present) {
      for (const event of present) listener(event)
      listeners.add(listener)
      return { stop: () => void listeners.delete(listener) }
    },
  }
}

/** What is under way, for watchers: who asked for it keeps its own promise and progress. */
export interface Activities {
  running(): Activity[]
  /** `wanted` becomes its id, unless another under way has it. */
  start(kind: Activity['kind'], name: string, wanted?: string): ActivityHandle
}

export interface ActivityHandle {
  update(change: { done?: number; total?: number; cid?: string; name?: string }): void
  complete(): void
  fail(error: unknown): void
}

/** Watchers are told of progress at most this often, in ms: a screen draws no more. */
const PROGRESS_MS = 100
/** The rate is the mean over about this long, in ms: shorter jumps, longer lags. */
const RATE_MS = 3000

export function createActivities(emit: (event: NodeEvent) => void): Activities {
  const running = new Map<string, Activity>()
  return {
    running: () => [...running.values()],
    start(kind, name, wanted) {
      const id = wanted === undefined || running.has(wanted) ? crypto.randomUUID() : wanted
      let activity: Activity = { id, kind, name, state: 'running', done: 0, rate: 0, startedAt: Date.now() }
      let told = 0
      let samples: [at: number, done: number][] = [[activity.startedAt, 0]]
      running.set(id, activity)
      const tell = (): void => emit({ type: 'activity', activity })
      const end = (change: Partial<Activity>): void => {
        running.delete(id)
        activity = { ...activity, ...change }
        tell()
      }
      tell()
      return {
        update(change) {
          const now = Date.now()
          activity = { ...activity, ...change }
          if (now - told < PROGRESS_MS) return
          told = now
          samples = [...samples.filter(([at]) => now - at < RATE_MS), [now, activity.done]]
          const [at, done] = samples[0] ?? [now, activity.done]
          activity.rate = now > at ? ((activity.done - done) * 1000) / (now - at) : 0
          running.set(id, activity)
          tell()
        },
        complete: () => end({ state: 'complete', ...(activity.total === undefined ? {} : { done: activity.total }) }),
        fail: (error) =>
          end(
            isPocketError(error, 'ERR_ABORTED')
              ? { state: 'cancelled' }
              : { state: 'failed', error: toWireError(error) },
          ),
      }
    },
  }
}
