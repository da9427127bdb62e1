import type { PortLike } from '../../../contract/port.ts'
import { parseLenderRequests } from '../../../contract/webrtc-lending-parse.ts'
import type { LenderReport, LenderRequest } from '../../../contract/webrtc-lending.ts'
import { PocketError } from '../../../shared/errors.ts'
import { LIMITS } from '../../../shared/limits.ts'
import { PageChannel } from './channel.ts'
import { PageConnection } from './connection.ts'
import { toLentError } from './errors.ts'

export interface LendOptions {
  /** Its `lenderLock` must be held from before this call until `onClose`. */
  lenderId: string
  RTCPeerConnection?: typeof RTCPeerConnection
  /** The lending is over: closed here, by the worker, or since the worker sent nonsense. */
  onClose?: () => void
}

export interface Lending {
  /** Whether new connections are best made here; at first they are. */
  setWilling(willing: boolean): void
  /** Closes every lent connection, tells the worker and closes the port. Repeated calls do nothing. */
  close(): void
}

/** Lends this page's WebRTC to the worker at the other end of the port, which is taken over. */
export function lendWebRtc(port: PortLike, options: LendOptions): Lending {
  return new PageLender(port, options)
}

class PageLender implements Lending {
  readonly #port: PortLike
  readonly #options: LendOptions
  readonly #connections = new Map<number, PageConnection>()
  readonly #channels = new Map<number, { channel: PageChannel; pc: number }>()
  #willing = true
  #closed = false
  #nextArrival = 1
  #unread = 0

  constructor(port: PortLike, options: LendOptions) {
    this.#port = port
    this.#options = options
    port.onmessage = ({ data }) => this.#receive(data)
    port.onmessageerror = () => this.close()
  }

  setWilling(willing: boolean): void {
    if (this.#willing === willing) return
    this.#willing = willing
    this.#post({ t: 'willing', willing })
  }

  close(): void {
    if (this.#closed) return
    this.#post({ t: 'bye' })
    this.#closed = true
    this.#port.onmessage = null
    this.#port.onmessageerror = null
    for (const pc of [...this.#connections.keys()]) this.#close(pc)
    this.#port.close()
    this.#options.onClose?.()
  }

  #receive(data: unknown): void {
    const requests = parseLenderRequests(data)
    // What it meant to change is lost: the two halves no longer agree.
    if (requests === undefined) return this.close()
    for (const request of requests) this.#handle(request)
  }

  #handle(request: LenderRequest): void {
    // One before it may have ended the lending.
    if (this.#closed) return
    switch (request.t) {
      case 'hello':
        return this.#post({ t: 'hello', lenderId: this.#options.lenderId, willing: this.#willing })
      case 'open':
        return this.#open(request)
      case 'call':
        return void this.#connections.get(request.pc)?.call(request.call, request.what)
      case 'channel':
        return this.#createChannel(request)
      case 'send':
        return this.#channels.get(request.channel)?.channel.send(request.data)
      case 'close-channel':
        return this.#channels.get(request.channel)?.channel.close()
      case 'taken':
        this.#unread = Math.max(0, this.#unread - request.bytes)
        return
      case 'close':
        return this.#close(request.pc)
      case 'ping':
        return this.#post({ t: 'pong', id: request.id })
      case 'bye':
        return this.close()
    }
  }

  #open({ pc, configuration }: Extract<LenderRequest, { t: 'open' }>): void {
    if (this.#connections.has(pc)) return this.close()
    try {
      if (this.#connections.size >= LIMITS.maxLentConnections) throw new PocketError('ERR_LIMIT_EXCEEDED')
      const connection = new PageConnection({
        pc,
        configuration,
        RTCPeerConnection: this.#options.RTCPeerConnection ?? RTCPeerConnection,
        post: (report) => this.#post(report),
        onChannel: (real, announce) => {
          const channel = this.#nextArrival
          this.#nextArrival += 2
          announce(channel)
          this.#keep(pc, channel, real)
        },
      })
      this.#connections.set(pc, connection)
    } catch (error) {
      this.#post({ t: 'refused', pc, error: toLentError(error) })
    }
  }

  #createChannel({ pc, channel, label, options }: Extract<LenderRequest, { t: 'channel' }>): void {
    const connection = this.#connections.get(pc)
    if (connection === undefined) return
    if (channel % 2 !== 0 || this.#channels.has(channel)) return this.close()
    try {
      this.#keep(pc, channel, connection.createChannel(label, options))
    } catch (error) {
      this.#post({ t: 'channel-error', channel, error: toLentError(error) })
      this.#post({ t: 'channel-event', channel, event: 'close', id: null })
    }
  }

  #keep(pc: number, number: number, real: RTCDataChannel): void {
    const channel = new PageChannel({
      channel: number,
      real,
      post: (report, transfer) => this.#post(report, transfer),
      admit: (size) => {
        if (this.#unread + size > LIMITS.maxLentUnreadBytes) return false
        this.#unread += size
        return true
      },
      onClose: () => this.#channels.delete(number),
    })
    this.#channels.set(number, { channel, pc })
  }

  #close(pc: number): void {
    this.#connections.get(pc)?.close()
    this.#connections.delete(pc)
    for (const [number, entry] of this.#channels) if (entry.pc === pc) this.#channels.delete(number)
  }

  #post(report: LenderReport, transfer: ArrayBuffer[] = []): void {
    if (!this.#closed) this.#port.postMessage(report, transfer)
  }
}
