/** Work for so long, in ms, then a turn of the event loop for everything else. */
const TURN_MS = 16

/**
 * Cuts work that many do in micro-tasks, one after the other, into turns of the event loop. Each waits while it is
 * `over`, and works without any other `await` in between: what was true for all of them would not be for the last.
 */
export class Turns {
  #began = performance.now()
  #next: Promise<void> | undefined

  /** This turn has taken long enough: `next` has to be awaited, then this asked again. */
  get over(): boolean {
    return performance.now() - this.#began >= TURN_MS
  }

  next(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      setTimeout(() => {
        this.#next = undefined
        this.#began = performance.now()
        resolve()
      }, 0)
    })
    return this.#next
  }
}
