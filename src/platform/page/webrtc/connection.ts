import type {
  LenderReport,
  LentCall,
  LentChannelInfo,
  LentChannelOptions,
  LentConfiguration,
  LentDescription,
  LentEvent,
  LentResult,
  LentState,
  PlainLentEvent,
} from '../../../contract/webrtc-lending.ts'
import { toLentError } from './errors.ts'

export interface PageConnectionInit {
  pc: number
  configuration: LentConfiguration
  RTCPeerConnection: typeof RTCPeerConnection
  post(report: LenderReport): void
  /** A channel arrived: its number is told to the worker before anything else of it. */
  onChannel(real: RTCDataChannel, announce: (channel: number) => void): void
}

const PLAIN_EVENTS: PlainLentEvent[] = [
  'connectionstatechange',
  'iceconnectionstatechange',
  'icegatheringstatechange',
  'signalingstatechange',
  'negotiationneeded',
]

/** The real half of a lent peer connection. */
export class PageConnection {
  readonly #init: PageConnectionInit
  readonly #real: RTCPeerConnection
  #closed = false

  /** @throws what the constructor of RTCPeerConnection throws */
  constructor(init: PageConnectionInit) {
    this.#init = init
    // Names of policies that this browser does not know are for its constructor to refuse.
    const real = new init.RTCPeerConnection(init.configuration as RTCConfiguration)
    this.#real = real
    for (const type of PLAIN_EVENTS) real.addEventListener(type, () => this.#tell({ type }))
    real.onicecandidate = ({ candidate }) =>
      this.#tell({ type: 'icecandidate', candidate: candidate === null ? null : candidate.toJSON() })
    real.onicecandidateerror = ({ address, port, url, errorCode, errorText }) =>
      this.#tell({ type: 'icecandidateerror', failure: { address, port, url, errorCode, errorText } })
    real.ondatachannel = ({ channel }) =>
      init.onChannel(channel, (number) =>
        this.#post({ t: 'arrived', pc: init.pc, channel: number, info: describe(channel) }),
      )
  }

  /** @throws what createDataChannel throws */
  createChannel(label: string, options: LentChannelOptions): RTCDataChannel {
    return this.#real.createDataChannel(label, options)
  }

  async call(call: number, what: LentCall): Promise<void> {
    const { pc } = this.#init
    try {
      const value = await this.#run(what)
      this.#post({ t: 'result', pc, call, value, state: this.#state() })
    } catch (error) {
      this.#post({ t: 'error', pc, call, error: toLentError(error) })
    }
  }

  close(): void {
    this.#closed = true
    this.#real.close()
  }

  /** Arguments were parsed; what they say is for the browser to judge. */
  async #run(what: LentCall): Promise<LentResult> {
    const real = this.#real
    switch (what.method) {
      case 'createOffer':
        return plain(await real.createOffer(what.argument))
      case 'createAnswer':
        return plain(await real.createAnswer())
      case 'setLocalDescription':
        await real.setLocalDescription(what.argument as RTCLocalSessionDescriptionInit | undefined)
        return undefined
      case 'setRemoteDescription':
        await real.setRemoteDescription(what.argument as RTCSessionDescriptionInit)
        return undefined
      case 'addIceCandidate':
        await real.addIceCandidate(what.argument)
        return undefined
      case 'restartIce':
        real.restartIce()
        return undefined
      case 'getStats':
        return [...(await real.getStats())].map(([id, stats]: [string, object]) => [id, { ...stats }])
    }
  }

  #tell(event: LentEvent): void {
    this.#post({ t: 'event', pc: this.#init.pc, event, state: this.#state() })
  }

  #post(report: LenderReport): void {
    if (!this.#closed) this.#init.post(report)
  }

  #state(): LentState {
    const real = this.#real
    return {
      connectionState: real.connectionState,
      iceConnectionState: real.iceConnectionState,
      iceGatheringState: real.iceGatheringState,
      signalingState: real.signalingState,
      currentLocal: plainOrNull(real.currentLocalDescription),
      pendingLocal: plainOrNull(real.pendingLocalDescription),
      currentRemote: plainOrNull(real.currentRemoteDescription),
      pendingRemote: plainOrNull(real.pendingRemoteDescription),
      canTrickle: real.canTrickleIceCandidates ?? null,
      maxMessageSize: real.sctp?.maxMessageSize ?? null,
    }
  }
}

function plain({ type, sdp = '' }: RTCSessionDescriptionInit): LentDescription {
  return { type, sdp }
}

function plainOrNull(description: RTCSessionDescription | null): LentDescription | null {
  return description === null ? null : plain(description)
}

function describe(channel: RTCDataChannel): LentChannelInfo {
  const {
    label,
    protocol,
    ordered,
    maxPacketLifeTime = null,
    maxRetransmits = null,
    negotiated,
    id,
    readyState,
  } = channel
  return { label, protocol, ordered, maxPacketLifeTime, maxRetransmits, negotiated, id, readyState }
}
