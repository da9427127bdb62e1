/**
 * What travels on the port between a worker that borrows WebRTC and the page that lends it. The worker numbers peer
 * connections and calls; channels have even numbers where the worker made them and odd ones where they arrived at the
 * page. A message about a number that is unknown is a late one (the thing has ended here already) and is dropped; one
 * that cannot be parsed ends the lending: what it meant to change is lost, so the two halves no longer agree. Parsers:
 * webrtc-lending-parse.ts.
 */

/** Held by a lender for as long as it lives: when the worker gets it, the lender is gone. */
export const lenderLock = (lenderId: string): string => `pocket-ipfs:lender:${lenderId}`

/** Worker to page; one message, or several in order as an array. */
export type LenderRequest =
  /** Answered by `hello`. The worker begins: a BroadcastChannel that it has not opened yet would lose the first message. */
  | { t: 'hello' }
  | { t: 'open'; pc: number; configuration: LentConfiguration }
  | { t: 'call'; pc: number; call: number; what: LentCall }
  | { t: 'channel'; pc: number; channel: number; label: string; options: LentChannelOptions }
  | { t: 'send'; channel: number; data: LentData }
  /** Closes after all that was sent has left. */
  | { t: 'close-channel'; channel: number }
  /** Bytes of messages that the worker has dispatched since it last said so. */
  | { t: 'taken'; bytes: number }
  | { t: 'close'; pc: number }
  | { t: 'ping'; id: number }
  | { t: 'bye' }

/** Page to worker, one at a time: each event is a task of its own there as it was here. */
export type LenderReport =
  /** `lenderLock(lenderId)` is held already. */
  | { t: 'hello'; lenderId: string; willing: boolean }
  | { t: 'event'; pc: number; event: LentEvent; state: LentState }
  | { t: 'result'; pc: number; call: number; value: LentResult; state: LentState }
  | { t: 'error'; pc: number; call: number; error: LentError }
  /** The connection could not be made, or the page ended it. */
  | { t: 'refused'; pc: number; error: LentError }
  | { t: 'arrived'; pc: number; channel: number; info: LentChannelInfo }
  | { t: 'channel-event'; channel: number; event: 'open' | 'closing' | 'close'; id: number | null }
  | { t: 'channel-error'; channel: number; error: LentError }
  | { t: 'message'; channel: number; data: LentData }
  /** Bytes that have left the real channel since it was last said. */
  | { t: 'drained'; channel: number; bytes: number }
  | { t: 'pong'; id: number }
  /** Whether new connections are best made here: not while the page is hidden. */
  | { t: 'willing'; willing: boolean }
  | { t: 'bye' }

/** Strings travel as strings, so that a text message arrives as one. */
export type LentData = string | ArrayBuffer | Blob

/** Bytes of it as a data channel counts them: both ends must agree, or what is reported as drained never adds up. */
export function lentSize(data: LentData): number {
  if (typeof data === 'string') return utf8.encode(data).byteLength
  return data instanceof ArrayBuffer ? data.byteLength : data.size
}
const utf8 = new TextEncoder()

/** Calls that are answered; their arguments are those of RTCPeerConnection. */
export type LentCall =
  | { method: 'createOffer'; argument: { iceRestart?: boolean } | undefined }
  | { method: 'createAnswer'; argument: undefined }
  | { method: 'setLocalDescription'; argument: { type: string; sdp?: string } | undefined }
  | { method: 'setRemoteDescription'; argument: { type: string; sdp?: string } }
  /** Without a candidate: there are no more. */
  | { method: 'addIceCandidate'; argument: LentCandidate | undefined }
  | { method: 'restartIce'; argument: undefined }
  | { method: 'getStats'; argument: undefined }

/** A description made, statistics by id, or nothing. */
export type LentResult = LentDescription | [id: string, stats: object][] | undefined

/** `iceServers` is always there: nobody is contacted who was not named. Certificates cannot cross a port. */
export interface LentConfiguration {
  iceServers: { urls: string[]; username?: string; credential?: string }[]
  iceTransportPolicy?: string
  bundlePolicy?: string
  iceCandidatePoolSize?: number
}

export interface LentChannelOptions {
  ordered?: boolean
  maxPacketLifeTime?: number
  maxRetransmits?: number
  protocol?: string
  negotiated?: boolean
  id?: number
}

export interface LentDescription {
  type: string
  sdp: string
}

export interface LentCandidate {
  candidate?: string
  sdpMid?: string | null
  sdpMLineIndex?: number | null
  usernameFragment?: string | null
}

/** Everything about a connection that is read without waiting. */
export interface LentState {
  connectionState: string
  iceConnectionState: string
  iceGatheringState: string
  signalingState: string
  currentLocal: LentDescription | null
  pendingLocal: LentDescription | null
  currentRemote: LentDescription | null
  pendingRemote: LentDescription | null
  canTrickle: boolean | null
  /** Bytes of one message; `null` before the transport is there. */
  maxMessageSize: number | null
}

export type PlainLentEvent =
  | 'connectionstatechange'
  | 'iceconnectionstatechange'
  | 'icegatheringstatechange'
  | 'signalingstatechange'
  | 'negotiationneeded'

export type LentEvent =
  | { type: PlainLentEvent }
  | { type: 'icecandidate'; candidate: LentCandidate | null }
  | { type: 'icecandidateerror'; failure: LentCandidateFailure }

export interface LentCandidateFailure {
  address: string | null
  port: number | null
  url: string
  errorCode: number
  errorText: string
}

export interface LentChannelInfo {
  label: string
  protocol: string
  ordered: boolean
  maxPacketLifeTime: number | null
  maxRetransmits: number | null
  negotiated: boolean
  id: number | null
  readyState: string
}

/** A DOMException, TypeError or RTCError by its name, or a PocketError by its code. */
export interface LentError {
  name: string
  message: string
  errorDetail?: string
  sctpCauseCode?: number | null
}
