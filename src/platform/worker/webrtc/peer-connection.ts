import type {
  LentCall,
  LentCandidate,
  LentChannelOptions,
  LentDescription,
  LentEvent,
  LentResult,
  LentState,
} from '../../../contract/webrtc-lending.ts'
import { PocketError } from '../../../shared/errors.ts'
import { channelInfo, plainOptions } from './channel-options.ts'
import { plainConfiguration, type LentConfigurationInit } from './configuration.ts'
import { LentDataChannel, type DataChannelInit } from './data-channel.ts'
import { fromLentError, invalidState } from './errors.ts'
import { LentChannelEvent, LentIceErrorEvent, LentIceEvent } from './events.ts'
import { defineHandlers, type Handler } from './handlers.ts'
import { LentIceCandidate } from './ice-candidate.ts'
import { INIT_LABEL, InitChannel } from './init-channel.ts'
import { repeatUntilClosed } from './late-listeners.ts'
import type { ConnectionEnd, ConnectionLink, ConnectionReport, Lender } from './lender.ts'
import { LentSessionDescription } from './session-description.ts'

const FRESH: LentState = {
  connectionState: 'new',
  iceConnectionState: 'new',
  iceGatheringState: 'new',
  signalingState: 'stable',
  currentLocal: null,
  pendingLocal: null,
  currentRemote: null,
  pendingRemote: null,
  canTrickle: null,
  maxMessageSize: null,
}

/** Bytes of a message for a remote that does not say (RFC 8841, section 6.1). */
const DEFAULT_MESSAGE_SIZE = 65_536

/** The class itself, which takes its page from `borrow` each time one is constructed. */
export type PeerConnectionClass = new (configuration?: LentConfigurationInit) => LentPeerConnection

export function peerConnectionClass(borrow: () => Lender | undefined): PeerConnectionClass {
  return class RTCPeerConnection extends LentPeerConnection {
    constructor(configuration?: LentConfigurationInit) {
      super(borrow(), configuration)
    }
  }
}

/**
 * RTCPeerConnection (webrtc-pc, section 4.4) for data channels, whose real half is in a page. Without a page it can be
 * constructed, since @libp2p/webrtc does that where an exception would leave its signalling stream open, and everything
 * after that fails with ERR_NO_WEBRTC. When the page goes it fails at once.
 */
class LentPeerConnection extends EventTarget implements ConnectionEnd {
  declare onnegotiationneeded: Handler<Event>
  declare onicecandidate: Handler<LentIceEvent>
  declare onicecandidateerror: Handler<LentIceErrorEvent>
  declare onsignalingstatechange: Handler<Event>
  declare oniceconnectionstatechange: Handler<Event>
  declare onicegatheringstatechange: Handler<Event>
  declare onconnectionstatechange: Handler<Event>
  declare ondatachannel: Handler<LentChannelEvent<LentDataChannel>>
  readonly #configuration: ReturnType<typeof plainConfiguration>
  readonly #link: ConnectionLink | undefined
  readonly #channels = new Set<LentDataChannel>()
  readonly #calls = new Map<number, { resolve(value: LentResult): void; reject(reason: Error): void }>()
  readonly #described = new Map<keyof LentState, LentSessionDescription>()
  #state = FRESH
  #closed = false
  #failure: PocketError | undefined
  #nextCall = 0

  protected constructor(lender: Lender | undefined, configuration?: LentConfigurationInit) {
    super()
    this.#configuration = plainConfiguration(configuration)
    this.#link = lender?.open(this, this.#configuration)
    if (this.#link !== undefined) return
    this.#failure = new PocketError('ERR_NO_WEBRTC', 'No page lends WebRTC now')
    this.#state = { ...FRESH, connectionState: 'failed', iceConnectionState: 'failed' }
  }

  get connectionState(): string {
    return this.#state.connectionState
  }

  get iceConnectionState(): string {
    return this.#state.iceConnectionState
  }

  get iceGatheringState(): string {
    return this.#state.iceGatheringState
  }

  get signalingState(): string {
    return this.#state.signalingState
  }

  get canTrickleIceCandidates(): boolean | null {
    return this.#state.canTrickle
  }

  get localDescription(): LentSessionDescription | null {
    return this.pendingLocalDescription ?? this.currentLocalDescription
  }

  get currentLocalDescription(): LentSessionDescription | null {
    return this.#describe('currentLocal')
  }

  get pendingLocalDescription(): LentSessionDescription | null {
    return this.#describe('pendingLocal')
  }

  get remoteDescription(): LentSessionDescription | null {
    return this.pendingRemoteDescription ?? this.currentRemoteDescription
  }

  get currentRemoteDescription(): LentSessionDescription | null {
    return this.#describe('currentRemote')
  }

  get pendingRemoteDescription(): LentSessionDescription | null {
    return this.#describe('pendingRemote')
  }

  get sctp(): { maxMessageSize: number } | null {
    return this.#state.maxMessageSize === null ? null : { maxMessageSize: this.#state.maxMessageSize }
  }

  get established(): boolean {
    return this.#state.connectionState === 'connected' || this.#state.connectionState === 'disconnected'
  }

  getConfiguration(): LentConfigurationInit {
    return structuredClone(this.#configuration)
  }

  createOffer({ iceRestart }: { iceRestart?: boolean } = {}): Promise<LentSessionDescription> {
    return this.#make({ method: 'createOffer', argument: iceRestart === undefined ? {} : { iceRestart } })
  }

  createAnswer(): Promise<LentSessionDescription> {
    return this.#make({ method: 'createAnswer', argument: undefined })
  }

  async setLocalDescription(description?: { type?: string; sdp?: string }): Promise<void> {
    const { type, sdp = '' } = description ?? {}
    await this.#call({ method: 'setLocalDescription', argument: type === undefined ? undefined : { type, sdp } })
  }

  async setRemoteDescription({ type, sdp = '' }: { type: string; sdp?: string }): Promise<void> {
    await this.#call({ method: 'setRemoteDescription', argument: { type, sdp } })
  }

  /** Without a candidate: there are no more. */
  async addIceCandidate(init?: LentCandidate | LentIceCandidate | null): Promise<void> {
    if (init == null) return void (await this.#call({ method: 'addIceCandidate', argument: undefined }))
    const { candidate = '', sdpMid = null, sdpMLineIndex = null, usernameFragment = null } = init
    const argument = { candidate, sdpMid, sdpMLineIndex, usernameFragment }
    await this.#call({ method: 'addIceCandidate', argument })
  }

  restartIce(): void {
    // Takes effect with the next offer; where there is none, nobody asks.
    this.#call({ method: 'restartIce', argument: undefined }).catch(() => undefined)
  }

  async getStats(): Promise<Map<string, object>> {
    return new Map((await this.#call({ method: 'getStats', argument: undefined })) as [string, object][])
  }

  /** @throws InvalidStateError, TypeError, PocketError ERR_NO_WEBRTC */
  createDataChannel(label: string, options: LentChannelOptions = {}): LentDataChannel {
    const info = channelInfo(String(label), options)
    if (this.#closed) throw invalidState('The RTCPeerConnection is closed')
    const link = this.#link
    if (this.#failure !== undefined) throw this.#failure
    if (link === undefined) throw new PocketError('ERR_NO_WEBRTC')
    const init: DataChannelInit = {
      info,
      link: (end) => link.createChannel(end, info.label, plainOptions(info)),
      maxMessageSize: () => this.#maxMessageSize,
    }
    return this.#keep(info.label === INIT_LABEL ? new InitChannel(init) : new LentDataChannel(init))
  }

  /** As the standard has it: no event here, and calls under way never settle. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#calls.clear()
    this.#state = { ...this.#state, connectionState: 'closed', iceConnectionState: 'closed', signalingState: 'closed' }
    this.#link?.close()
    for (const channel of this.#channels) channel.closeAbruptly()
    this.#channels.clear()
  }

  receive(report: ConnectionReport): void {
    if (this.#closed) return
    switch (report.t) {
      case 'event':
        this.#state = report.state
        this.dispatchEvent(toEvent(report.event))
        return
      case 'result':
        this.#state = report.state
        this.#calls.get(report.call)?.resolve(report.value)
        this.#calls.delete(report.call)
        return
      case 'error':
        this.#calls.get(report.call)?.reject(fromLentError(report.error))
        this.#calls.delete(report.call)
        return
      case 'refused':
        return this.fail(new PocketError('ERR_NO_WEBRTC', report.error.message))
      case 'arrived': {
        const link = this.#link
        if (link === undefined) return
        const channel = new LentDataChannel({
          info: report.info,
          link: (end) => link.adopt(report.channel, end),
          maxMessageSize: () => this.#maxMessageSize,
        })
        this.dispatchEvent(new LentChannelEvent('datachannel', { channel: this.#keep(channel) }))
      }
    }
  }

  fail(reason: PocketError): void {
    if (this.#closed || this.#failure !== undefined) return
    this.#failure = reason
    for (const call of this.#calls.values()) call.reject(reason)
    this.#calls.clear()
    this.#state = { ...this.#state, iceConnectionState: 'failed', connectionState: 'failed' }
    for (const channel of this.#channels) channel.fail(reason.message)
    this.#channels.clear()
    this.dispatchEvent(new Event('iceconnectionstatechange'))
    this.dispatchEvent(new Event('connectionstatechange'))
    repeatUntilClosed(this)
  }

  get #maxMessageSize(): number {
    return this.#state.maxMessageSize ?? DEFAULT_MESSAGE_SIZE
  }

  #keep(channel: LentDataChannel): LentDataChannel {
    this.#channels.add(channel)
    channel.addEventListener('close', () => this.#channels.delete(channel))
    return channel
  }

  async #make(what: LentCall): Promise<LentSessionDescription> {
    return new LentSessionDescription((await this.#call(what)) as LentDescription)
  }

  #call(what: LentCall): Promise<LentResult> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(invalidState('The RTCPeerConnection is closed'))
      if (this.#failure !== undefined) return reject(this.#failure)
      const call = this.#nextCall++
      this.#calls.set(call, { resolve, reject })
      this.#link?.call(call, what)
    })
  }

  /** The same object as long as it says the same. */
  #describe(which: 'currentLocal' | 'pendingLocal' | 'currentRemote' | 'pendingRemote'): LentSessionDescription | null {
    const wire = this.#state[which]
    if (wire === null) return null
    const known = this.#described.get(which)
    if (known?.type === wire.type && known.sdp === wire.sdp) return known
    const fresh = new LentSessionDescription(wire)
    this.#described.set(which, fresh)
    return fresh
  }
}

defineHandlers(LentPeerConnection.prototype, [
  ...['negotiationneeded', 'icecandidate', 'icecandidateerror', 'signalingstatechange', 'iceconnectionstatechange'],
  ...['icegatheringstatechange', 'connectionstatechange', 'datachannel'],
])

function toEvent(event: LentEvent): Event {
  switch (event.type) {
    case 'icecandidate':
      return new LentIceEvent('icecandidate', {
        candidate: event.candidate === null ? null : new LentIceCandidate(event.candidate),
      })
    case 'icecandidateerror':
      return new LentIceErrorEvent('icecandidateerror', event.failure)
    default:
      return new Event(event.type)
  }
}
