import type {
  LenderReport,
  LenderRequest,
  LentCandidate,
  LentCandidateFailure,
  LentChannelInfo,
  LentChannelOptions,
  LentConfiguration,
  LentDescription,
  LentError,
  LentState,
  PlainLentEvent,
} from './webrtc-lending.ts'

/** @returns `undefined` for anything that is not made of requests. */
export function parseLenderRequests(data: unknown): LenderRequest[] | undefined {
  const list: unknown[] = Array.isArray(data) ? data : [data]
  return list.every((each) => isA<LenderRequest>(REQUESTS, each)) ? list : undefined
}

/** @returns `undefined` for anything that is not a report. */
export function parseLenderReport(data: unknown): LenderReport | undefined {
  return isA<LenderReport>(REPORTS, data) ? data : undefined
}

type Check = (value: unknown) => boolean
/** What each field of each message must be; the compiler sees to it that none is left out. */
type Shapes<M extends { t: string }> = { [T in M['t']]: Fields<Omit<Extract<M, { t: T }>, 't'>> }
type Fields<T> = { [K in keyof T]-?: Check }

const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const text: Check = (value) => typeof value === 'string'
const flag: Check = (value) => typeof value === 'boolean'
const nothing: Check = (value) => value === undefined
const data: Check = (value) => value instanceof ArrayBuffer || text(value) || value instanceof Blob
const one =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value)
const either =
  (...checks: Check[]): Check =>
  (value) =>
    checks.some((check) => check(value))
const maybe = (check: Check): Check => either(nothing, check)
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check)
function record<T>(fields: Fields<T>): Check {
  const checks = Object.entries<Check>(fields)
  return (value) => isRecord(value) && checks.every(([name, check]) => check(value[name]))
}

const description = record<LentDescription>({ type: text, sdp: text })
const descriptionInit = record<{ type: string; sdp?: string }>({ type: text, sdp: maybe(text) })
const candidate = record<LentCandidate>({
  candidate: maybe(text),
  sdpMid: maybe(orNull(text)),
  sdpMLineIndex: maybe(orNull(count)),
  usernameFragment: maybe(orNull(text)),
})
const configuration = record<LentConfiguration>({
  iceServers: list(record({ urls: list(text), username: maybe(text), credential: maybe(text) })),
  iceTransportPolicy: maybe(text),
  bundlePolicy: maybe(text),
  iceCandidatePoolSize: maybe(count),
})
const channelOptions = record<LentChannelOptions>({
  ordered: maybe(flag),
  maxPacketLifeTime: maybe(count),
  maxRetransmits: maybe(count),
  protocol: maybe(text),
  negotiated: maybe(flag),
  id: maybe(count),
})
const state = record<LentState>({
  connectionState: text,
  iceConnectionState: text,
  iceGatheringState: text,
  signalingState: text,
  currentLocal: orNull(description),
  pendingLocal: orNull(description),
  currentRemote: orNull(description),
  pendingRemote: orNull(description),
  canTrickle: orNull(flag),
  maxMessageSize: orNull((value) => typeof value === 'number' && value > 0),
})
const channelInfo = record<LentChannelInfo>({
  label: text,
  protocol: text,
  ordered: flag,
  maxPacketLifeTime: orNull(count),
  maxRetransmits: orNull(count),
  negotiated: flag,
  id: orNull(count),
  readyState: one('connecting', 'open'),
})
const error = record<LentError>({
  name: text,
  message: text,
  errorDetail: maybe(text),
  sctpCauseCode: maybe(orNull(count)),
})

const call = either(
  record({ method: one('createOffer'), argument: maybe(record({ iceRestart: maybe(flag) })) }),
  record({ method: one('createAnswer', 'restartIce', 'getStats'), argument: nothing }),
  record({ method: one('setLocalDescription'), argument: maybe(descriptionInit) }),
  record({ method: one('setRemoteDescription'), argument: descriptionInit }),
  record({ method: one('addIceCandidate'), argument: maybe(candidate) }),
)
const failure = record<LentCandidateFailure>({
  address: orNull(text),
  port: orNull(count),
  url: text,
  errorCode: count,
  errorText: text,
})
const PLAIN: Record<PlainLentEvent, true> = {
  connectionstatechange: true,
  iceconnectionstatechange: true,
  icegatheringstatechange: true,
  signalingstatechange: true,
  negotiationneeded: true,
}
const event = either(
  record({ type: one(...Object.keys(PLAIN)) }),
  record({ type: one('icecandidate'), candidate: orNull(candidate) }),
  record({ type: one('icecandidateerror'), failure }),
)
const stats = list((value) => Array.isArray(value) && text(value[0]) && isRecord(value[1]))

const REQUESTS: Shapes<LenderRequest> = {
  hello: {},
  open: { pc: count, configuration },
  call: { pc: count, call: count, what: call },
  channel: { pc: count, channel: count, label: text, options: channelOptions },
  send: { channel: count, data },
  'close-channel': { channel: count },
  taken: { bytes: count },
  close: { pc: count },
  ping: { id: count },
  bye: {},
}

const REPORTS: Shapes<LenderReport> = {
  hello: { lenderId: text, willing: flag },
  event: { pc: count, event, state },
  result: { pc: count, call: count, value: either(nothing, description, stats), state },
  error: { pc: count, call: count, error },
  refused: { pc: count, error },
  arrived: { pc: count, channel: count, info: channelInfo },
  'channel-event': { channel: count, event: one('open', 'closing', 'close'), id: orNull(count) },
  'channel-error': { channel: count, error },
  message: { channel: count, data },
  drained: { channel: count, bytes: count },
  pong: { id: count },
  willing: { willing: flag },
  bye: {},
}

function isA<M extends { t: string }>(shapes: Shapes<M>, value: unknown): value is M {
  if (!isRecord(value) || typeof value.t !== 'string' || !Object.hasOwn(shapes, value.t)) return false
  const fields = shapes[value.t as M['t']] as Record<string, Check>
  for (const name in fields) if (!fields[name]?.(value[name])) return false
  return true
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
