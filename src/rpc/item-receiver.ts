import { PocketError } from '../shared/errors.ts'
import { LIMITS } from '../shared/limits.ts'

export interface ItemReceiverInit {
  /** Asks the sender for more: called first when the first item is asked for, with the whole window. */
  onWant(items: number): void
  /** The loop over the items was left. Not called after an end or an error. */
  onStop(): void
}

const RETURN_ITEMS = LIMITS.portWindowItems / 4

/** Items that arrive on a port; at most the window of them waits unread. */
export class ItemReceiver implements AsyncIterator<unknown> {
  readonly #init: ItemReceiverInit
  #queue: unknown[] = []
  #granted = 0
  #consumed: number = LIMITS.portWindowItems
  #waiting: (() => void)[] = []
  #state: 'open' | 'ended' | 'failed' = 'open'
  #error: unknown

  constructor(init: ItemReceiverInit) {
    this.#init = init
  }

  /** @throws PocketError ERR_PROTOCOL when the sender sends more than it was asked for */
  accept(items: unknown[]): void {
    if (this.#state !== 'open') return
    if (!Array.isArray(items)) throw new PocketError('ERR_PROTOCOL', 'Bytes came where items belong')
    if (items.length > this.#granted) throw new PocketError('ERR_PROTOCOL', 'More items came than were asked for')
    this.#granted -= items.length
    this.#queue.push(...items)
    this.#wake()
  }

  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ended'
    this.#wake()
  }

  fail(error: unknown): void {
    if (this.#state !== 'open') return
    this.#state = 'failed'
    this.#error = error
    this.#queue = []
    this.#wake()
  }

  async next(): Promise<IteratorResult<unknown>> {
    if (this.#consumed >= RETURN_ITEMS && this.#state === 'open') {
      const want = this.#consumed
      this.#consumed = 0
      this.#granted += want
      this.#init.onWant(want)
    }
    while (this.#queue.length === 0 && this.#state === 'open') {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    if (this.#queue.length > 0) {
      this.#consumed += 1
      return { done: false, value: this.#queue.shift() }
    }
    if (this.#state === 'failed') {
      // Once, as a generator does.
      this.#state = 'ended'
      throw this.#error
    }
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<unknown>> {
    const open = this.#state === 'open'
    this.#state = 'ended'
    this.#queue = []
    this.#wake()
    if (open) this.#init.onStop()
    return { done: true, value: undefined }
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
