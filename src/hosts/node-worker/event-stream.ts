import type { NodeEvent, WatchHandle } from '../../contract/node-api.ts'

/**
 * Events as something that can be iterated. Of what a slow or frozen page has not read yet only the latest of its kind
 * is kept: every event but an activity's tells the whole state, and an activity's tells all of that activity.
 */
export function eventStream(
  watch: (listener: (event: NodeEvent) => void) => WatchHandle,
  signal: AbortSignal,
): AsyncIterable<NodeEvent> {
  return { [Symbol.asyncIterator]: () => new EventIterator(watch, signal) }
}

class EventIterator implements AsyncIterator<NodeEvent> {
  readonly #pending = new Map<string, NodeEvent>()
  readonly #handle: WatchHandle
  readonly #signal: AbortSignal
  #wake: (() => void) | undefined
  #ended = false

  constructor(watch: (listener: (event: NodeEvent) => void) => WatchHandle, signal: AbortSignal) {
    this.#signal = signal
    this.#handle = watch((event) => this.#take(event))
    signal.addEventListener('abort', this.#end)
  }

  async next(): Promise<IteratorResult<NodeEvent>> {
    while (!this.#ended) {
      const first = this.#pending.entries().next()
      if (first.done !== true) {
        const [key, event] = first.value
        this.#pending.delete(key)
        return { done: false, value: event }
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<NodeEvent>> {
    this.#end()
    return { done: true, value: undefined }
  }

  #take(event: NodeEvent): void {
    const key = event.type === 'activity' ? `activity ${event.activity.id}` : event.type
    // To the end: what a page hears last is what happened last.
    this.#pending.delete(key)
    this.#pending.set(key, event)
    this.#wake?.()
  }

  #end = (): void => {
    if (this.#ended) return
    this.#ended = true
    this.#signal.removeEventListener('abort', this.#end)
    this.#handle.stop()
    this.#wake?.()
  }
}
