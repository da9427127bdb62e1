/** Work that may overlap, and work that must have the place to itself. */
export interface Gate {
  /** Runs beside others of its kind; waits only for exclusive work that is running. */
  shared<T>(work: () => Promise<T>): Promise<T>
  /** Whether exclusive work would have to wait. */
  readonly busy: boolean
  /** Runs as soon as nothing else does. Nobody waits for it before it runs. */
  exclusive(work: () => Promise<unknown>): Promise<void>
}

/**
 * Between what brings blocks and what frees them: an add counts on blocks that it found in the store, so none may go
 * before its pin is there. Freeing has time: it must not hold up what a person asks for.
 */
export function createGate(): Gate {
  let running = 0
  const waiting: (() => Promise<void>)[] = []
  let turn: Promise<void> | undefined
  const next = (): void => {
    if (running > 0 || turn !== undefined || waiting.length === 0) return
    turn = (async () => {
      for (let work = waiting.shift(); work !== undefined; work = waiting.shift()) await work()
      turn = undefined
    })()
  }
  return {
    get busy() {
      return running > 0
    },
    async shared(work) {
      while (turn !== undefined) await turn
      running++
      try {
        return await work()
      } finally {
        running--
        next()
      }
    },
    exclusive: (work) =>
      new Promise((resolve, reject) => {
        waiting.push(async () => {
          await work().then(() => resolve(), reject)
        })
        next()
      }),
  }
}
