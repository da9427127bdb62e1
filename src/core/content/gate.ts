/** Work that may overlap, and work that must have the place to itself. */
export interface Gate {
  /** Runs beside others of its kind. */
  shared<T>(work: () => Promise<T>): Promise<T>
  /** Whether an exclusive piece of work would have to wait. */
  readonly busy: boolean
  /** Waits until nothing runs, and holds back what comes meanwhile. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
}

/**
 * Between what brings blocks and what frees them: an add counts on blocks that it found in the store, so none may go
 * before its pin is there.
 */
export function createGate(): Gate {
  const running = new Set<Promise<unknown>>()
  let last: Promise<unknown> = Promise.resolve()
  const track = <T>(promise: Promise<T>): Promise<T> => {
    const settled: Promise<unknown> = promise.then(
      () => running.delete(settled),
      () => running.delete(settled),
    )
    running.add(settled)
    return promise
  }
  return {
    get busy() {
      return running.size > 0
    },
    shared: (work) => track(last.then(work)),
    exclusive(work) {
      // Those of now: what comes later waits for this turn.
      const before = [...running]
      const turn = last.then(() => Promise.all(before)).then(work)
      last = turn.catch(() => undefined)
      return turn
    },
  }
}
