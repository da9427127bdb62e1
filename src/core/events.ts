import type { NodeEvent, WatchHandle } from '../contract/node-api.ts'

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
