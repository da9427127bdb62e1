import { PocketError, toPocketError } from '../shared/errors.ts'
import { LIMITS } from '../shared/limits.ts'
import { isBytes } from '../shared/tags.ts'

export interface ByteReceiverInit {
  /** Asks the sender for more: called first when the stream is first read, with the whole window. */
  onWant(bytes: number): void
  /** The reader has had enough. Not called after an end or an error. */
  onStop(): void
}

/** Credit is returned in quarters of the window: few messages, and three quarters always on their way. */
const RETURN_BYTES = LIMITS.portWindowBytes / 4

/** A stream whose bytes arrive on a port; at most the window of them waits unread. */
export class ByteReceiver {
  readonly stream: ReadableStream<Uint8Array>
  readonly #init: ByteReceiverInit
  #controller!: ReadableStreamDefaultController<Uint8Array>
  #queue: Uint8Array[] = []
  /** Asked for and not yet arrived. */
  #granted = 0
  /** Read and not yet asked for again. */
  #consumed: number = LIMITS.portWindowBytes
  #wanted: (() => void) | undefined
  #state: 'open' | 'ending' | 'closed' = 'open'

  constructor(init: ByteReceiverInit) {
    this.#init = init
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#pull(),
        cancel: () => {
          this.#close()
          this.#init.onStop()
        },
      },
      // Nothing is asked for before it is read: an unread stream costs nothing.
      { highWaterMark: 0 },
    )
  }

  /** @throws PocketError ERR_PROTOCOL when the sender sends more than it was asked for */
  accept(bytes: Uint8Array): void {
    if (this.#state !== 'open') return
    if (!isBytes(bytes)) throw new PocketError('ERR_PROTOCOL', 'Items came where bytes belong')
    if (bytes.length > this.#granted) throw new PocketError('ERR_PROTOCOL', 'More bytes came than were asked for')
    this.#granted -= bytes.length
    this.#queue.push(bytes)
    this.#wanted?.()
  }

  end(): void {
    if (this.#state !== 'open') return
    if (this.#queue.length > 0) {
      this.#state = 'ending'
      return
    }
    this.#close()
    this.#controller.close()
  }

  fail(error: unknown): void {
    if (this.#state === 'closed') return
    this.#close()
    this.#controller.error(toPocketError(error))
  }

  async #pull(): Promise<void> {
    if (this.#consumed >= RETURN_BYTES && this.#state === 'open') {
      const want = this.#consumed
      this.#consumed = 0
      this.#granted += want
      this.#init.onWant(want)
    }
    if (this.#queue.length === 0) await new Promise<void>((resolve) => (this.#wanted = resolve))
    this.#wanted = undefined
    const bytes = this.#queue.shift()
    if (bytes === undefined) return
    this.#consumed += bytes.length
    this.#controller.enqueue(bytes)
    if (this.#state === 'ending' && this.#queue.length === 0) {
      this.#close()
      this.#controller.close()
    }
  }

  #close(): void {
    this.#state = 'closed'
    this.#queue = []
    this.#wanted?.()
  }
}
