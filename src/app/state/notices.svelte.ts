import { untrack } from 'svelte'
import type { Failure } from '../strings/index.ts'

export interface Notice {
  id: number
  text: string
  failure?: Failure
  action?: { label: string; run: () => void }
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

  tell(text: string, action?: Notice['action']): void {
    this.#show({ id: this.#next++, text, ...(action === undefined ? {} : { action }) })
    this.#timer = setTimeout(() => this.dismiss(), SHOWN_MS)
  }

  fail(failure: Failure, action?: Notice['action']): void {
    // A person who cancels knows.
    if (failure.code === 'ERR_ABORTED') return
    this.#show({ id: this.#next++, text: failure.what, failure, ...(action === undefined ? {} : { action }) })
  }

  /** Takes good news away; a failure waits for the person. */
  settle(): void {
    untrack(() => {
      if (this.#current?.failure === undefined) this.dismiss()
    })
  }

  dismiss(): void {
    clearTimeout(this.#timer)
    this.#current = undefined
  }

  #show(notice: Notice): void {
    clearTimeout(this.#timer)
    this.#current = notice
  }
}
