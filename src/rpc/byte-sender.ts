import { PocketError } from '../shared/errors.ts'
import { LIMITS } from '../shared/limits.ts'
import { isBytes } from '../shared/tags.ts'
import { Credit } from './credit.ts'

export interface ByteSenderInit {
  /** Locked from now on. */
  source: ReadableStream<Uint8Array>
  /** Bytes the receiver has asked for already. */
  credit: number
  /** Chunks that fill their buffer are nobody else's: they are transferred as they are. Others are copied. */
  owned: boolean
  /** Takes a frame with a buffer of its own, to be transferred. */
  onFrame(bytes: Uint8Array<ArrayBuffer>): void
  onEnd(): void
  onError(error: unknown): void
}

/** A part of the window, so that a receiver is never without a frame on its way; small ones cost more messages. */
const FRAME_BYTES = LIMITS.portWindowBytes / 8
/** What may go at once without being copied. */
const WHOLE_BYTES = LIMITS.portWindowBytes / 2

/** Reads a stream only as far as the other side has asked for, and sends it in frames. */
export class ByteSender {
  readonly #init: ByteSenderInit
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #credit: Credit

  /** @throws PocketError ERR_INVALID_ARGUMENT for a stream that is locked */
  constructor(init: ByteSenderInit) {
    this.#init = init
    if (init.source.locked) throw new PocketError('ERR_INVALID_ARGUMENT', 'The stream is in use already')
    this.#reader = init.source.getReader()
    this.#credit = new Credit(init.credit)
    void this.#run()
  }

  grant(bytes: number): void {
    this.#credit.grant(bytes)
  }

  /** Nothing more is wanted: lets go of the source. */
  stop(reason: unknown): void {
    this.#credit.end()
    // A source that fails to cancel has no one left to tell.
    this.#reader.cancel(reason).catch(() => undefined)
  }

  async #run(): Promise<void> {
    try {
      while (await this.#credit.wait(1)) {
        const { done, value } = await this.#reader.read()
        if (done) return this.#init.onEnd()
        // What a page passes may yield anything.
        if (!isBytes(value)) {
          throw new PocketError('ERR_INVALID_ARGUMENT', 'The stream must yield Uint8Array')
        }
        if (!(await this.#send(value))) return
      }
    } catch (error) {
      this.#credit.end()
      this.#reader.cancel(error).catch(() => undefined)
      this.#init.onError(error)
    }
  }

  async #send(chunk: Uint8Array): Promise<boolean> {
    if (this.#init.owned && fillsBuffer(chunk) && chunk.length <= WHOLE_BYTES && chunk.length > 0) {
      if (!(await this.#credit.wait(chunk.length))) return false
      this.#credit.use(chunk.length)
      this.#init.onFrame(chunk)
      return true
    }
    for (let offset = 0; offset < chunk.length; offset += FRAME_BYTES) {
      const end = Math.min(offset + FRAME_BYTES, chunk.length)
      if (!(await this.#credit.wait(end - offset))) return false
      this.#credit.use(end - offset)
      // Copied, then transferred: whoever made the chunk may use it again (a block waiting to be stored, a buffer that
      // is filled anew), and cloning a view clones its whole buffer. 1 MiB costs about 0.1 ms.
      this.#init.onFrame(new Uint8Array(chunk.subarray(offset, end)))
    }
    return true
  }
}

function fillsBuffer(chunk: Uint8Array): chunk is Uint8Array<ArrayBuffer> {
  return chunk.buffer instanceof ArrayBuffer && chunk.buffer.byteLength === chunk.byteLength
}
