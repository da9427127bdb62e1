export interface GatheredReadsInit<Request, Value> {
  /** Windows that are read side by side. */
  windows: number
  /** How many of those that wait, the oldest first, are the next window; one at least. */
  next(waiting: readonly { request: Request }[]): number
  /** One value for each of the window, in order. */
  readWindow(window: Request[]): Promise<Value[]>
}

interface Waiting<Request, Value> {
  request: Request
  resolve: (value: Value) => void
  reject: (error: unknown) => void
}

/** Reads in windows: a lone read waits for nothing; those that come while others run are gathered. */
export class GatheredReads<Request, Value> {
  readonly #init: GatheredReadsInit<Request, Value>
  #waiting: Waiting<Request, Value>[] = []
  #running = 0
  #scheduled = false

  constructor(init: GatheredReadsInit<Request, Value>) {
    this.#init = init
  }

  read(request: Request): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      queueMicrotask(() => {
        this.#scheduled = false
        this.#start()
      })
    })
  }

  #start(): void {
    while (this.#waiting.length > 0 && this.#running < this.#init.windows) {
      const count = this.#init.next(this.#waiting)
      void this.#run(this.#waiting.splice(0, count))
    }
  }

  async #run(window: Waiting<Request, Value>[]): Promise<void> {
    this.#running++
    try {
      const values = await this.#init.readWindow(window.map(({ request }) => request))
      for (const [at, { resolve }] of window.entries()) resolve(values[at] as Value)
    } catch (error) {
      for (const { reject } of window) reject(error)
    } finally {
      this.#running--
      this.#start()
    }
  }
}
