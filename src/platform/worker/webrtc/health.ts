import { LIMITS } from '../../../shared/limits.ts'

export interface HealthInit {
  ping(id: number): void
  /** The page has been silent for `lenderSilentPings` ticks, or is heard again. */
  onChange(): void
}

/**
 * Notices a page that is frozen: it keeps its locks and its connections but passes nothing on. Silence is counted in
 * ticks, not by the clock, since this worker may have been frozen with it.
 */
export class Health {
  readonly #init: HealthInit
  #timer: ReturnType<typeof setInterval> | undefined
  #pings = 0
  #waiting = false
  #missed = 0

  constructor(init: HealthInit) {
    this.#init = init
  }

  get silent(): boolean {
    return this.#missed >= LIMITS.lenderSilentPings
  }

  /** Only while there is something to lose: an idle phone is left to sleep. */
  start(): void {
    if (this.#timer !== undefined) return
    this.#timer = setInterval(() => this.#tick(), LIMITS.lenderPingMs)
    this.#tick()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Anything that the page says is a sign of life. */
  heard(): void {
    const wasSilent = this.silent
    this.#waiting = false
    this.#missed = 0
    if (wasSilent) this.#init.onChange()
  }

  #tick(): void {
    if (!this.#waiting) {
      // One at a time: they must not pile up before a frozen page.
      this.#waiting = true
      this.#init.ping(this.#pings++)
      return
    }
    this.#missed++
    if (this.#missed === LIMITS.lenderSilentPings) this.#init.onChange()
  }
}
