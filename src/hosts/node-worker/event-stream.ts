import type { WatchHandle } from '../../contract/node-api.ts'

type Watch<T> = (listener: (event: T) => void) => WatchHandle

/**
 * Events as something that can be iterated. Of what a slow or frozen page has not read yet only the latest of each key
 * is kept: an event tells the whole state of what its key names.
 */
export function eventStream<T>(watch: Watch<T>, keyOf: (event: T) => string, signal: AbortSignal): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => new EventIterator(watch, keyOf, signal) }
}

class EventIterator<T> implements AsyncIterator<T> {
  readonly #pending = new Map<string, T>()
  readonly #keyOf: (event: T) => string
  readonly #handle: WatchHandle
  readonly #signal: AbortSignal
  #wake: (() => void) | undefined
  #ended = false

  constructor(watch: Watch<T>, keyOf: (event: T) => string, signal: AbortSignal) {
    this.#keyOf = keyOf
    this.#signal = signal
    this.#handle = watch((event) => this.#take(event))
    signal.addEventListener('abort', this.#end)
  }

  async next(): Promise<IteratorResult<T>> {
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

  async return(): Promise<IteratorResult<T>> {
    this.#end()
    return { done: true, value: undefined }
  }

  #take(event: T): void {
    const key = this.#keyOf(event)
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
