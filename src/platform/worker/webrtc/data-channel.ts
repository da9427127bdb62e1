import { lentSize, type LentChannelInfo, type LentData } from '../../../contract/webrtc-lending.ts'
import { LIMITS } from '../../../shared/limits.ts'
import { invalidState, LentRtcError } from './errors.ts'
import { LentErrorEvent } from './events.ts'
import { defineHandlers, type Handler } from './handlers.ts'
import type { ChannelEnd, ChannelLink, ChannelReport } from './lender.ts'

export interface DataChannelInit {
  info: LentChannelInfo
  link: (end: ChannelEnd) => ChannelLink
  /** Bytes that one message may have. */
  maxMessageSize: () => number
}

/**
 * RTCDataChannel (webrtc-pc, section 6.2) whose real half is in a page. It differs in two points that no caller could
 * build on: a channel made on an open connection has its `id` when it opens, not at once, and a threshold crossed is
 * noticed to within `lentDrainStep` bytes.
 */
export class LentDataChannel extends EventTarget implements ChannelEnd {
  declare onopen: Handler<Event>
  declare onmessage: Handler<MessageEvent>
  declare onbufferedamountlow: Handler<Event>
  declare onerror: Handler<LentErrorEvent>
  declare onclosing: Handler<Event>
  declare onclose: Handler<Event>
  readonly label: string
  readonly protocol: string
  readonly ordered: boolean
  readonly maxPacketLifeTime: number | null
  readonly maxRetransmits: number | null
  readonly negotiated: boolean
  readonly #link: ChannelLink
  readonly #maxMessageSize: () => number
  #id: number | null
  #readyState: string
  #bufferedAmount = 0
  #threshold = 0
  #binaryType: 'arraybuffer' | 'blob' = 'arraybuffer'

  constructor({ info, link, maxMessageSize }: DataChannelInit) {
    super()
    this.label = info.label
    this.protocol = info.protocol
    this.ordered = info.ordered
    this.maxPacketLifeTime = info.maxPacketLifeTime
    this.maxRetransmits = info.maxRetransmits
    this.negotiated = info.negotiated
    this.#id = info.id
    this.#readyState = info.readyState
    this.#maxMessageSize = maxMessageSize
    this.#link = link(this)
  }

  get id(): number | null {
    return this.#id
  }

  get readyState(): string {
    return this.#readyState
  }

  /** Bytes sent that have not left the page yet, wherever they wait. */
  get bufferedAmount(): number {
    return this.#bufferedAmount
  }

  get bufferedAmountLowThreshold(): number {
    return this.#threshold
  }

  set bufferedAmountLowThreshold(value: number) {
    this.#threshold = value >>> 0
  }

  get binaryType(): string {
    return this.#binaryType
  }

  /** As with any enumerated attribute, other values are ignored. */
  set binaryType(value: string) {
    if (value === 'arraybuffer' || value === 'blob') this.#binaryType = value
  }

  /**
   * The data is copied at once: the caller may go on using it.
   * @throws InvalidStateError, TypeError (larger than the remote takes), OperationError (the queue is full)
   */
  send(data: string | Blob | ArrayBuffer | ArrayBufferView): void {
    if (this.#readyState !== 'open') throw invalidState("RTCDataChannel.readyState is not 'open'")
    const size = ArrayBuffer.isView(data) ? data.byteLength : lentSize(data)
    if (size > this.#maxMessageSize()) throw new TypeError('The message is larger than the remote accepts')
    const full = this.#bufferedAmount + size > LIMITS.maxLentQueueBytes
    if (full || !this.#link.send(copyOf(data), size)) {
      throw new DOMException('RTCDataChannel send queue is full', 'OperationError')
    }
    this.#bufferedAmount += size
  }

  /** What was sent still leaves. */
  close(): void {
    if (this.#readyState === 'closing' || this.#readyState === 'closed') return
    this.#readyState = 'closing'
    this.#link.close()
  }

  receive(report: ChannelReport): void {
    if (this.#readyState === 'closed') return
    switch (report.t) {
      case 'message':
        this.dispatchEvent(new MessageEvent('message', { data: this.#received(report.data) }))
        return
      case 'drained':
        return this.#drain(report.bytes)
      case 'channel-error':
        this.dispatchEvent(new LentErrorEvent('error', { error: new LentRtcError(report.error) }))
        return
      case 'channel-event':
        this.#id = report.id ?? this.#id
        return this.#change(report.event)
    }
  }

  /** The connection was closed here: no event comes now, but `close` soon, as in Chromium. */
  closeAbruptly(): void {
    if (this.#readyState === 'closed') return
    this.#readyState = 'closed'
    setTimeout(() => this.dispatchEvent(new Event('close')))
  }

  /** The page that lent it is gone. */
  fail(message: string): void {
    if (this.#readyState === 'closed') return
    this.#readyState = 'closed'
    this.dispatchEvent(new LentErrorEvent('error', { error: new LentRtcError({ message }) }))
    this.dispatchEvent(new Event('close'))
  }

  #change(event: 'open' | 'closing' | 'close'): void {
    // Closed here already: the far side's view of it is late.
    if (this.#readyState === 'closing' && event !== 'close') return
    this.#readyState = event === 'close' ? 'closed' : event
    this.dispatchEvent(new Event(event))
  }

  #drain(bytes: number): void {
    const before = this.#bufferedAmount
    this.#bufferedAmount = Math.max(0, before - bytes)
    if (before > this.#threshold && this.#bufferedAmount <= this.#threshold) {
      this.dispatchEvent(new Event('bufferedamountlow'))
    }
  }

  #received(data: LentData): LentData {
    return data instanceof ArrayBuffer && this.#binaryType === 'blob' ? new Blob([data]) : data
  }
}

defineHandlers(LentDataChannel.prototype, ['open', 'message', 'bufferedamountlow', 'error', 'closing', 'close'])

/** Never the caller's own buffer: transferring that would detach what else the caller has in it. */
function copyOf(data: string | Blob | ArrayBuffer | ArrayBufferView): LentData {
  if (typeof data === 'string') return data.toWellFormed()
  if (data instanceof ArrayBuffer) return data.slice(0)
  if (!ArrayBuffer.isView(data)) return data
  const copy = new Uint8Array(data.byteLength)
  copy.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return copy.buffer
}
