/** The messages between worker and page: every field of every message is checked, on both sides. */
import { describe, expect, it } from 'vitest'
import { parseLenderReport, parseLenderRequests } from '../../../src/contract/webrtc-lending-parse.ts'
import { lentSize, type LenderReport, type LenderRequest } from '../../../src/contract/webrtc-lending.ts'

type OneOfEach<M extends { t: string }> = { [T in M['t']]: Extract<M, { t: T }>[] }

const description = { type: 'offer', sdp: 'v=0' }
const candidate = { candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'ab' }
const error = { name: 'OperationError', message: 'm', errorDetail: 'sctp-failure', sctpCauseCode: 12 }
const state = {
  connectionState: 'new',
  iceConnectionState: 'new',
  iceGatheringState: 'new',
  signalingState: 'stable',
  currentLocal: description,
  pendingLocal: description,
  currentRemote: description,
  pendingRemote: description,
  canTrickle: true,
  maxMessageSize: 262144,
}

const REQUESTS: OneOfEach<LenderRequest> = {
  hello: [{ t: 'hello' }],
  open: [
    {
      t: 'open',
      pc: 0,
      configuration: {
        iceServers: [{ urls: ['stun:a'], username: 'u', credential: 'c' }],
        iceTransportPolicy: 'all',
        bundlePolicy: 'balanced',
        iceCandidatePoolSize: 0,
      },
    },
  ],
  call: [
    { t: 'call', pc: 0, call: 0, what: { method: 'createOffer', argument: { iceRestart: true } } },
    { t: 'call', pc: 0, call: 0, what: { method: 'setLocalDescription', argument: description } },
    { t: 'call', pc: 0, call: 0, what: { method: 'setRemoteDescription', argument: description } },
    { t: 'call', pc: 0, call: 0, what: { method: 'addIceCandidate', argument: candidate } },
  ],
  channel: [
    {
      t: 'channel',
      pc: 0,
      channel: 0,
      label: 'x',
      options: { ordered: true, maxPacketLifeTime: 1, maxRetransmits: 1, protocol: '', negotiated: true, id: 1 },
    },
  ],
  send: [{ t: 'send', channel: 0, data: 'text' }],
  'close-channel': [{ t: 'close-channel', channel: 0 }],
  taken: [{ t: 'taken', bytes: 1 }],
  close: [{ t: 'close', pc: 0 }],
  ping: [{ t: 'ping', id: 0 }],
  bye: [{ t: 'bye' }],
}

const REPORTS: OneOfEach<LenderReport> = {
  hello: [{ t: 'hello', lenderId: 'id', willing: true }],
  event: [
    { t: 'event', pc: 0, event: { type: 'connectionstatechange' }, state },
    { t: 'event', pc: 0, event: { type: 'icecandidate', candidate }, state },
    {
      t: 'event',
      pc: 0,
      event: {
        type: 'icecandidateerror',
        failure: { address: 'a', port: 1, url: 'stun:a', errorCode: 701, errorText: 'no' },
      },
      state,
    },
  ],
  result: [
    { t: 'result', pc: 0, call: 0, value: description, state },
    { t: 'result', pc: 0, call: 0, value: [['id', {}]], state },
  ],
  error: [{ t: 'error', pc: 0, call: 0, error }],
  refused: [{ t: 'refused', pc: 0, error }],
  arrived: [
    {
      t: 'arrived',
      pc: 0,
      channel: 1,
      info: {
        label: 'x',
        protocol: '',
        ordered: true,
        maxPacketLifeTime: 1,
        maxRetransmits: 1,
        negotiated: false,
        id: 1,
        readyState: 'open',
      },
    },
  ],
  'channel-event': [{ t: 'channel-event', channel: 0, event: 'open', id: 1 }],
  'channel-error': [{ t: 'channel-error', channel: 0, error }],
  message: [{ t: 'message', channel: 0, data: 'text' }],
  drained: [{ t: 'drained', channel: 0, bytes: 1 }],
  pong: [{ t: 'pong', id: 0 }],
  willing: [{ t: 'willing', willing: false }],
  bye: [{ t: 'bye' }],
}

const requests: LenderRequest[] = Object.values(REQUESTS).flat()
const reports: LenderReport[] = Object.values(REPORTS).flat()

/** Every copy of `value` in which one field, however deep, is something that fits no field at all. */
function* spoilt(value: unknown): Generator {
  const nothing = 'nothing that is expected'
  if (Array.isArray(value)) {
    for (const [at, each] of value.entries()) for (const bad of spoilt(each)) yield value.with(at, bad)
    yield { length: nothing }
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, each] of Object.entries(value)) for (const bad of spoilt(each)) yield { ...value, [name]: bad }
    yield 7.5
  } else {
    yield typeof value === 'string' ? -1 : nothing
  }
}

describe('requests of the worker', () => {
  it('are read one by one and many at once', () => {
    for (const request of requests) expect(parseLenderRequests(request)).toEqual([request])
    expect(parseLenderRequests(requests)).toEqual(requests)
    for (const data of [new ArrayBuffer(3), new Blob(['x'])]) {
      expect(parseLenderRequests({ t: 'send', channel: 0, data })).toHaveLength(1)
    }
  })

  it('are refused when any one field is wrong, and with them all that came at once', () => {
    let tried = 0
    for (const request of requests) {
      for (const bad of spoilt(request)) {
        expect(parseLenderRequests(bad), JSON.stringify(bad)).toBeUndefined()
        expect(parseLenderRequests([...requests, bad])).toBeUndefined()
        tried++
      }
    }
    expect(tried).toBeGreaterThan(60)
    const remote = { t: 'call', pc: 0, call: 0, what: { method: 'setRemoteDescription' } }
    const foreign = { t: 'call', pc: 0, call: 0, what: { method: 'addTrack', argument: undefined } }
    for (const bad of [undefined, null, 'text', 0, [null], [[]], remote, foreign, { t: 'toString' }]) {
      expect(parseLenderRequests(bad)).toBeUndefined()
    }
  })
})

describe('reports of the page', () => {
  it('are read', () => {
    for (const report of reports) expect(parseLenderReport(report)).toEqual(report)
    const fresh = { ...state, currentLocal: null, canTrickle: null, maxMessageSize: null }
    expect(parseLenderReport({ ...REPORTS.event[0], state: fresh })).toBeDefined()
    expect(parseLenderReport({ ...REPORTS.event[0], state: { ...state, maxMessageSize: Infinity } })).toBeDefined()
    expect(parseLenderReport({ t: 'message', channel: 0, data: new ArrayBuffer(0) })).toBeDefined()
  })

  it('are refused when any one field is wrong', () => {
    let tried = 0
    for (const report of reports) {
      for (const bad of spoilt(report)) {
        expect(parseLenderReport(bad), JSON.stringify(bad)).toBeUndefined()
        tried++
      }
    }
    expect(tried).toBeGreaterThan(120)
    for (const bad of [undefined, null, 'text', [reports[0]], { t: 'constructor' }, { t: 'ping', id: 0 }]) {
      expect(parseLenderReport(bad)).toBeUndefined()
    }
  })
})

it('counts bytes as a data channel does', () => {
  expect([
    lentSize('ä€\u{1F4C4}'),
    lentSize('\ud800'),
    lentSize(new ArrayBuffer(7)),
    lentSize(new Blob(['abc'])),
  ]).toEqual([9, 3, 7, 3])
})
