/** What a receiver has allowed and the sender has not yet used, in bytes or items. */
export class Credit {
  #left = 0
  #ended = false
  #wake: (() => void) | undefined

  constructor(initial: number) {
    this.#left = initial
  }

  get left(): number {
    return this.#left
  }

  grant(amount: number): void {
    this.#left += amount
    this.#wake?.()
  }

  use(amount: number): void {
    this.#left -= amount
  }

  /** Resolves to true when `amount` is there, to false when the stream has ended instead. One waiter at a time. */
  async wait(amount: number): Promise<boolean> {
    while (!this.#ended && this.#left < amount) {
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return !this.#ended
  }

  end(): void {
    this.#ended = true
    this.#wake?.()
  }
}
