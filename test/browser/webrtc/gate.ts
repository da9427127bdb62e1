import type { PortLike } from '../../../src/contract/port.ts'

/**
 * A port that can be shut, as that of a page that is frozen: nothing comes or goes. There is no other way to freeze one of
 * several pages of a test.
 */
export class Gate implements PortLike {
  readonly #port: MessagePort
  #listener: PortLike['onmessage'] = null
  #shut = false
  #waiting: (() => void)[] = []
  #heard = Promise.withResolvers<void>()

  constructor(port: MessagePort) {
    this.#port = port
  }

  get onmessage(): PortLike['onmessage'] {
    return this.#listener
  }

  set onmessage(listener: PortLike['onmessage']) {
    this.#listener = listener
    this.#port.onmessage = (event) => {
      this.#pass(() => {
        this.#listener?.(event)
        this.#heard.resolve()
      })
    }
  }

  /** Resolves when a first message has been passed on to the listener. */
  get heard(): Promise<void> {
    return this.#heard.promise
  }

  postMessage(message: unknown, transfer: (ArrayBuffer | MessagePort)[] = []): void {
    this.#pass(() => this.#port.postMessage(message, transfer))
  }

  close(): void {
    this.#port.close()
  }

  shut(): void {
    this.#shut = true
  }

  open(): void {
    this.#shut = false
    for (const pass of this.#waiting.splice(0)) pass()
  }

  #pass(pass: () => void): void {
    if (this.#shut) this.#waiting.push(pass)
    else pass()
  }
}
