import type { LentCandidateFailure } from '../../../contract/webrtc-lending.ts'
import type { LentRtcError } from './errors.ts'
import type { LentIceCandidate } from './ice-candidate.ts'

/** RTCPeerConnectionIceEvent. `null` says that there are no more candidates. */
export class LentIceEvent extends Event {
  readonly candidate: LentIceCandidate | null
  readonly url: string | null = null

  constructor(type: string, { candidate = null }: { candidate?: LentIceCandidate | null } = {}) {
    super(type)
    this.candidate = candidate
  }
}

/** RTCPeerConnectionIceErrorEvent. */
export class LentIceErrorEvent extends Event {
  readonly address: string | null
  readonly port: number | null
  readonly url: string
  readonly errorCode: number
  readonly errorText: string

  constructor(type: string, failure: LentCandidateFailure) {
    super(type)
    this.address = failure.address
    this.port = failure.port
    this.url = failure.url
    this.errorCode = failure.errorCode
    this.errorText = failure.errorText
  }
}

/** RTCDataChannelEvent. */
export class LentChannelEvent<C extends EventTarget> extends Event {
  readonly channel: C

  constructor(type: string, { channel }: { channel: C }) {
    super(type)
    this.channel = channel
  }
}

/** RTCErrorEvent. */
export class LentErrorEvent extends Event {
  readonly error: LentRtcError

  constructor(type: string, { error }: { error: LentRtcError }) {
    super(type)
    this.error = error
  }
}
