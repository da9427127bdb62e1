import { LEADER_LOCK } from '../contract/host-link.ts'
import { toPocketError } from '../shared/errors.ts'
import { startDedicatedWorker, type DedicatedWorker, type WorkerUrl } from './workers.ts'

/**
 * Where there is no SharedWorker one page leads: the node runs in a dedicated worker of its own. The lock passes to the
 * next page when that one goes; from a frozen one it is stolen.
 */
export class Leadership {
  readonly #url: WorkerUrl
  #turn: { granted: Promise<void>; cancel: AbortController } | undefined
  #worker: DedicatedWorker | undefined
  #starting: DedicatedWorker | undefined
  #release: (() => void) | undefined

  constructor(url: WorkerUrl) {
    this.#url = url
  }

  /** Whether a worker of this page runs, or could. */
  get leads(): boolean {
    return this.#release !== undefined
  }

  /** Resolves when it is this page's turn to lead; it stays in the queue, whoever waits. */
  turn(): Promise<void> {
    this.#turn ??= this.#ask({})
    return this.#turn.granted
  }

  /** Takes the lead from a page that does nothing with it. */
  async seize(): Promise<void> {
    if (this.leads) return
    this.#turn?.cancel.abort()
    this.#turn = this.#ask({ steal: true })
    await this.#turn.granted
  }

  /** Whether a worker of this page has started and does not serve yet. */
  get starts(): boolean {
    return this.#starting !== undefined
  }

  /** Starts a worker, which ends again unless `attach` gives something; the one before it, if any, ends first. */
  async tryWorker<T>(attach: (worker: DedicatedWorker) => Promise<T | undefined>): Promise<T | undefined> {
    this.#worker?.terminate()
    const worker = startDedicatedWorker(this.#url)
    this.#worker = this.#starting = worker
    let result: T | undefined
    try {
      result = await attach(worker)
      return result
    } finally {
      if (this.#starting === worker) this.#starting = undefined
      if (result === undefined) worker.terminate()
    }
  }

  /** Ends the worker and lets another page lead. */
  resign(): void {
    this.#worker?.terminate()
    this.#worker = undefined
    this.#turn?.cancel.abort()
    this.#turn = undefined
    this.#release?.()
    this.#release = undefined
  }

  #ask(options: LockOptions): { granted: Promise<void>; cancel: AbortController } {
    const cancel = new AbortController()
    const granted = new Promise<void>((resolve, reject) => {
      const lead = (): Promise<void> => {
        if (cancel.signal.aborted) return Promise.resolve()
        resolve()
        return new Promise((release) => (this.#release = release))
      }
      const signal = options.steal === true ? {} : { signal: cancel.signal }
      navigator.locks.request(LEADER_LOCK, { ...options, ...signal }, lead).catch((error: unknown) => {
        reject(toPocketError(error))
        // Stolen while this page was frozen: it is one among others now.
        if (!cancel.signal.aborted) this.resign()
      })
    })
    granted.catch(() => undefined)
    return { granted, cancel }
  }
}
