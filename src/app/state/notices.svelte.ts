import { untrack } from 'svelte'
import type { Failure } from '../strings/index.ts'

export interface Notice {
  id: number
  text: string
  failure?: Failure
  action?: { label: string; run: () => void }
  /** Called when it goes without its action having been taken. */
  gone?: () => void
}

/** Long enough to read two lines and reach the button. */
const SHOWN_MS = 7000

/** One short message at a time at the foot of the screen; a failure stays until it is dismissed. */
export class Notices {
  #current = $state.raw<Notice | undefined>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #next = 0

  get current(): Notice | undefined {
    return this.#current
  }

  tell(text: string, action?: Notice['action'], gone?: () => void): void {
    const rest = { ...(action === undefined ? {} : { action }), ...(gone === undefined ? {} : { gone }) }
    this.#change({ id: this.#next++, text, ...rest })
    this.#timer = setTimeout(() => this.dismiss(), SHOWN_MS)
  }

  fail(failure: Failure): void {
    // A person who cancels knows.
    if (failure.code === 'ERR_ABORTED') return
    this.#change({ id: this.#next++, text: failure.what, failure })
  }

  /** Takes the action of the present one. */
  act(): void {
    const run = this.#current?.action?.run
    clearTimeout(this.#timer)
    this.#current = undefined
    run?.()
  }

  /** Takes good news away; a failure waits for the person. */
  settle(): void {
    untrack(() => {
      if (this.#current?.failure === undefined) this.dismiss()
    })
  }

  dismiss(): void {
    this.#change(undefined)
  }

  #change(next: Notice | undefined): void {
    clearTimeout(this.#timer)
    const before = this.#current
    this.#current = next
    before?.gone?.()
  }
}
