import type { PortLike } from '../../../contract/port.ts'
import { parseLenderReport } from '../../../contract/webrtc-lending-parse.ts'
import {
  lenderLock,
  lentSize,
  type LenderReport,
  type LentCall,
  type LentChannelOptions,
  type LentConfiguration,
  type LentData,
} from '../../../contract/webrtc-lending.ts'
import { PocketError } from '../../../shared/errors.ts'
import { LIMITS } from '../../../shared/limits.ts'
import { Health } from './health.ts'
import { Outbox } from './outbox.ts'

export type ConnectionReport = Extract<LenderReport, { pc: number }>
export type ChannelReport = Extract<LenderReport, { channel: number; t: Exclude<LenderReport['t'], 'arrived'> }>

/** The end of a peer connection in this worker. */
export interface ConnectionEnd {
  receive(report: ConnectionReport): void
  /** Whether it carries data: what does not yet, never will over a silent page. */
  readonly established: boolean
  /** The page is gone; `reason` is what further use fails with. */
  fail(reason: PocketError): void
}

export interface ConnectionLink {
  call(call: number, what: LentCall): void
  createChannel(end: ChannelEnd, label: string, options: LentChannelOptions): ChannelLink
  /** Takes up a channel that arrived at the page. */
  adopt(channel: number, end: ChannelEnd): ChannelLink
  close(): void
}

export interface ChannelEnd {
  receive(report: ChannelReport): void
}

export interface ChannelLink {
  /** @returns whether it was taken: not while `maxLentPortBytes` wait for this page. */
  send(data: LentData, size: number): boolean
  close(): void
}

export interface LenderInit {
  /** It said its id, became silent, was heard again, or became more or less willing. */
  onChange(): void
  onLost(lender: Lender): void
}

/** This worker's end of the port to a page that lends WebRTC. */
export class Lender {
  /** Empty until the page has said it. */
  #greeted = false
  willing = false
  readonly #init: LenderInit
  readonly #port: PortLike
  readonly #outbox: Outbox
  readonly #health: Health
  readonly #connections = new Map<number, ConnectionEnd>()
  readonly #channels = new Map<number, { end: ChannelEnd; pc: number; waiting: number }>()
  readonly #over = new AbortController()
  readonly #helloTimer: ReturnType<typeof setTimeout>
  #nextConnection = 0
  #nextChannel = 0
  #waiting = 0
  #taken = 0

  constructor(port: PortLike, init: LenderInit) {
    this.#init = init
    this.#port = port
    this.#outbox = new Outbox(port)
    this.#health = new Health({
      ping: (id) => this.#outbox.post({ t: 'ping', id }),
      onChange: () => init.onChange(),
    })
    port.onmessage = ({ data }) => this.#receive(data)
    port.onmessageerror = () => this.lose(new PocketError('ERR_PROTOCOL'))
    this.#outbox.post({ t: 'hello' })
    const silent = (): void => this.lose(new PocketError('ERR_NO_WEBRTC', 'The page that lends WebRTC does not answer'))
    this.#helloTimer = setTimeout(silent, LIMITS.lenderHelloMs)
  }

  /** Whether a connection made here has a chance. */
  get usable(): boolean {
    return this.#greeted && !this.#over.signal.aborted && !this.#health.silent
  }

  get silent(): boolean {
    return this.#health.silent
  }

  open(end: ConnectionEnd, configuration: LentConfiguration): ConnectionLink {
    const pc = this.#nextConnection++
    this.#connections.set(pc, end)
    this.#outbox.post({ t: 'open', pc, configuration })
    this.#health.start()
    return {
      call: (call, what) => this.#outbox.post({ t: 'call', pc, call, what }),
      createChannel: (channelEnd, label, options) => {
        const channel = this.#nextChannel
        this.#nextChannel += 2
        this.#outbox.post({ t: 'channel', pc, channel, label, options })
        return this.#link(pc, channel, channelEnd)
      },
      adopt: (channel, channelEnd) => this.#link(pc, channel, channelEnd),
      close: () => {
        this.#outbox.post({ t: 'close', pc })
        this.#forget(pc)
      },
    }
  }

  /** Connections that are not up yet have no chance while the page is silent. */
  failUnestablished(): void {
    for (const end of [...this.#connections.values()]) {
      if (!end.established) end.fail(new PocketError('ERR_NO_WEBRTC', 'The page that lends WebRTC does not answer'))
    }
  }

  /** Ends the lending: every connection over this page fails at once. Repeated calls do nothing. */
  lose(reason: PocketError): void {
    if (this.#over.signal.aborted) return
    this.#over.abort()
    clearTimeout(this.#helloTimer)
    this.#health.stop()
    this.#outbox.post({ t: 'bye' })
    this.#port.onmessage = null
    this.#port.onmessageerror = null
    this.#outbox.close()
    const connections = [...this.#connections.values()]
    this.#connections.clear()
    this.#channels.clear()
    this.#init.onLost(this)
    for (const end of connections) end.fail(reason)
  }

  #link(pc: number, channel: number, end: ChannelEnd): ChannelLink {
    const entry = { end, pc, waiting: 0 }
    this.#channels.set(channel, entry)
    return {
      send: (data, size) => {
        if (this.#waiting + size > LIMITS.maxLentPortBytes) return false
        if (this.#channels.get(channel) === entry) {
          entry.waiting += size
          this.#waiting += size
        }
        this.#outbox.post({ t: 'send', channel, data }, data instanceof ArrayBuffer ? data : undefined)
        return true
      },
      close: () => this.#outbox.post({ t: 'close-channel', channel }),
    }
  }

  #receive(data: unknown): void {
    const report = parseLenderReport(data)
    if (report === undefined) return this.lose(new PocketError('ERR_PROTOCOL', 'A lending page sent nonsense'))
    this.#health.heard()
    switch (report.t) {
      case 'hello':
        return this.#greet(report)
      case 'willing':
        this.willing = report.willing
        return this.#init.onChange()
      case 'bye':
        return this.lose(new PocketError('ERR_NO_WEBRTC', 'The page that lent this connection has closed it'))
      case 'pong':
        return
      case 'event':
      case 'result':
      case 'error':
      case 'refused':
      case 'arrived':
        return this.#connections.get(report.pc)?.receive(report)
      default:
        return this.#receiveForChannel(report)
    }
  }

  #receiveForChannel(report: ChannelReport): void {
    const entry = this.#channels.get(report.channel)
    if (entry !== undefined && report.t === 'drained') {
      entry.waiting -= report.bytes
      this.#waiting -= report.bytes
    }
    entry?.end.receive(report)
    if (report.t === 'message') this.#take(report.data)
    if (report.t === 'channel-event' && report.event === 'close') this.#forgetChannel(report.channel)
  }

  /** Late messages count too: the page has counted them as on their way. */
  #take(data: LentData): void {
    this.#taken += lentSize(data)
    if (this.#taken < LIMITS.maxLentUnreadBytes / 64) return
    this.#outbox.post({ t: 'taken', bytes: this.#taken })
    this.#taken = 0
  }

  #greet({ lenderId, willing }: { lenderId: string; willing: boolean }): void {
    if (this.#greeted) return
    clearTimeout(this.#helloTimer)
    this.#greeted = true
    this.willing = willing
    navigator.locks
      // Shared: whoever waits for this page's end is told at once.
      .request(lenderLock(lenderId), { mode: 'shared', signal: this.#over.signal }, () =>
        this.lose(new PocketError('ERR_NO_WEBRTC', 'The page that lent this connection is gone')),
      )
      .catch(() => undefined)
    this.#init.onChange()
  }

  #forget(pc: number): void {
    this.#connections.delete(pc)
    for (const [channel, entry] of this.#channels) if (entry.pc === pc) this.#forgetChannel(channel)
    if (this.#connections.size === 0) this.#health.stop()
  }

  #forgetChannel(channel: number): void {
    this.#waiting -= this.#channels.get(channel)?.waiting ?? 0
    this.#channels.delete(channel)
  }
}
