import { LIMITS } from '../shared/limits.ts'
import { Credit } from './credit.ts'

export interface ItemSenderInit {
  source: AsyncIterable<unknown>
  credit: number
  onItems(items: unknown[]): void
  onEnd(): void
  onError(error: unknown): void
}

/** Iterates only as far as the other side has asked for; items that come in one go travel in one message. */
export class ItemSender {
  readonly #init: ItemSenderInit
  readonly #iterator: AsyncIterator<unknown>
  readonly #credit: Credit
  #batch: unknown[] = []
  #flush: ReturnType<typeof setTimeout> | undefined
  #stopped = false

  constructor(init: ItemSenderInit) {
    this.#init = init
    this.#iterator = init.source[Symbol.asyncIterator]()
    this.#credit = new Credit(init.credit)
    void this.#run()
  }

  grant(items: number): void {
    this.#credit.grant(items)
  }

  /** Nothing more is wanted: lets go of the source. */
  stop(): void {
    this.#stopped = true
    this.#credit.end()
    clearTimeout(this.#flush)
    void this.#release()
  }

  async #run(): Promise<void> {
    try {
      while (await this.#credit.wait(1)) {
        const next = await this.#iterator.next()
        if (this.#stopped) return
        if (next.done === true) {
          this.#send()
          return this.#init.onEnd()
        }
        this.#credit.use(1)
        this.#batch.push(next.value)
        if (this.#batch.length >= LIMITS.portWindowItems / 4) this.#send()
        else this.#flush ??= setTimeout(() => this.#sendLater(), 0)
      }
    } catch (error) {
      this.#sendLater()
      this.#fail(error)
    }
  }

  #sendLater(): void {
    try {
      this.#send()
    } catch (error) {
      // An item that cannot be cloned: the source is fine, its reader gets an error.
      this.#fail(error)
    }
  }

  #send(): void {
    clearTimeout(this.#flush)
    this.#flush = undefined
    const batch = this.#batch
    this.#batch = []
    if (batch.length > 0) this.#init.onItems(batch)
  }

  #fail(error: unknown): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#credit.end()
    clearTimeout(this.#flush)
    void this.#release()
    this.#init.onError(error)
  }

  async #release(): Promise<void> {
    try {
      await this.#iterator.return?.()
    } catch {
      // A source that fails to end has no one left to tell.
    }
  }
}
