import { lentSize, type LenderReport, type LentData } from '../../../contract/webrtc-lending.ts'
import { LIMITS } from '../../../shared/limits.ts'
import { toLentError } from './errors.ts'

export interface PageChannelInit {
  channel: number
  real: RTCDataChannel
  post: (report: LenderReport, transfer?: ArrayBuffer[]) => void
  /** @returns whether the worker still takes this much. */
  admit: (size: number) => boolean
  onClose: () => void
}

/** The real half of a lent data channel. */
export class PageChannel {
  readonly #init: PageChannelInit
  #queue: { data: LentData; size: number }[] = []
  /** Bytes handed to the real channel, and those of them that the worker knows to have left it. */
  #handed = 0
  #drained = 0
  #closeIsWanted = false

  constructor(init: PageChannelInit) {
    this.#init = init
    const { channel, real, post } = init
    real.binaryType = 'arraybuffer'
    real.onmessage = ({ data }: MessageEvent<LentData>) => this.#receive(data)
    real.onbufferedamountlow = () => this.#pump()
    real.onerror = ({ error }) => post({ t: 'channel-error', channel, error: toLentError(error) })
    real.onopen = () => post({ t: 'channel-event', channel, event: 'open', id: real.id })
    // Not in every browser: what it would say, `onclose` says a little later.
    real.addEventListener('closing', () => post({ t: 'channel-event', channel, event: 'closing', id: real.id }))
    real.onclose = () => this.#end()
  }

  send(data: LentData): void {
    this.#queue.push({ data, size: lentSize(data) })
    this.#pump()
  }

  /** After all that was sent has been handed over; the real one then waits until it has left. */
  close(): void {
    this.#closeIsWanted = true
    this.#pump()
  }

  /**
   * Keeps the real channel below its limit, and tells the worker as it empties. The threshold runs down with the
   * amount, since a worker may wait for any.
   */
  #pump(): void {
    const { real, channel, post } = this.#init
    let taken = 0
    for (const { data, size } of this.#queue) {
      if (real.bufferedAmount > 0 && real.bufferedAmount + size > LIMITS.lentChannelBytes) break
      try {
        // The overloads name each type on its own.
        real.send(data as ArrayBuffer)
      } catch (error) {
        if (real.readyState === 'open') this.#break(error)
        return
      }
      this.#handed += size
      taken++
    }
    if (taken > 0) this.#queue = this.#queue.slice(taken)
    real.bufferedAmountLowThreshold = Math.max(0, real.bufferedAmount - LIMITS.lentDrainStep)

    const bytes = this.#handed - real.bufferedAmount - this.#drained
    if (bytes >= LIMITS.lentDrainStep || (bytes > 0 && real.bufferedAmount === 0)) {
      this.#drained += bytes
      post({ t: 'drained', channel, bytes })
    }
    if (this.#closeIsWanted && this.#queue.length === 0) real.close()
  }

  #receive(data: LentData): void {
    const { channel, post, admit } = this.#init
    if (!admit(lentSize(data))) {
      // Nothing can hold a sender back from here, and a hole in a stream is worse than its end.
      return this.#break(new DOMException('The worker does not take what arrives', 'OperationError'))
    }
    post({ t: 'message', channel, data }, data instanceof ArrayBuffer ? [data] : [])
  }

  /** The worker is told at once: Chromium may take its time to close a channel with data on its way. */
  #break(error: unknown): void {
    const { channel, real, post } = this.#init
    post({ t: 'channel-error', channel, error: toLentError(error) })
    real.onmessage = real.onbufferedamountlow = real.onerror = real.onclose = null
    real.close()
    this.#end()
  }

  #end(): void {
    const { channel, real, post, onClose } = this.#init
    this.#queue = []
    post({ t: 'channel-event', channel, event: 'close', id: real.id })
    onClose()
  }
}
