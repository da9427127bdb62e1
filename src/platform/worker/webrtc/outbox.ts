import type { PortLike } from '../../../contract/port.ts'
import type { LenderRequest } from '../../../contract/webrtc-lending.ts'

/** Posts what was said in one go, in order, when the code that said it has run: a burst of sends is one message. */
export class Outbox {
  readonly #port: PortLike
  #requests: LenderRequest[] = []
  #transfer: ArrayBuffer[] = []
  #closed = false

  constructor(port: PortLike) {
    this.#port = port
  }

  /** `buffer` belongs to the outbox from now on. */
  post(request: LenderRequest, buffer?: ArrayBuffer): void {
    if (this.#closed) return
    if (this.#requests.length === 0) queueMicrotask(() => this.#flush())
    this.#requests.push(request)
    if (buffer !== undefined) this.#transfer.push(buffer)
  }

  /** What was said so far still goes; a BroadcastChannel would throw at what comes after. */
  close(): void {
    this.#flush()
    this.#closed = true
    this.#port.close()
  }

  #flush(): void {
    if (this.#requests.length === 0) return
    const [requests, transfer] = [this.#requests, this.#transfer]
    this.#requests = []
    this.#transfer = []
    this.#port.postMessage(requests, transfer)
  }
}
