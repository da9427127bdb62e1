import {
  CHANNEL_EVENTS,
  connect,
  equal,
  failure,
  isOpen,
  ok,
  once,
  record,
  signal,
  unhurried,
  type Behaviour,
} from './kit.ts'

const KiB = 1024

/** What an RTCPeerConnection does, in Chromium 156 and by webrtc-pc. */
export const CONNECTION_BEHAVIOURS: Behaviour[] = [
  {
    name: 'a new connection is new in every respect',
    run: async ({ local, opened }) => {
      const a = new local.RTCPeerConnection()
      opened.push(a)
      equal(
        [a.connectionState, a.iceConnectionState, a.iceGatheringState, a.signalingState],
        ['new', 'new', 'new', 'stable'],
      )
      equal([a.localDescription, a.remoteDescription, a.sctp, a.canTrickleIceCandidates], [null, null, null, null])
      equal([a.onicecandidate, a.ondatachannel, a.onconnectionstatechange], [null, null, null])
      equal(a.getConfiguration().iceServers, [], 'nobody is contacted by default')
    },
  },
  {
    name: 'signalling goes through its states, with descriptions in place when a call resolves',
    run: async ({ local, remote, opened }) => {
      const [a, b] = [new local.RTCPeerConnection(), new remote.RTCPeerConnection()]
      opened.push(a, b)
      const log: string[] = []
      a.onsignalingstatechange = () => log.push(a.signalingState)
      a.createDataChannel('x')
      const offer = await a.createOffer()
      equal(offer.type, 'offer')
      equal(a.localDescription, null, 'an offer alone changes nothing')
      await a.setLocalDescription(offer)
      equal(
        [a.signalingState, a.pendingLocalDescription?.type, a.currentLocalDescription],
        ['have-local-offer', 'offer', null],
      )
      ok(a.localDescription === a.localDescription, 'a description is the same object as long as it says the same')
      await b.setRemoteDescription(offer)
      await b.setLocalDescription()
      await a.setRemoteDescription(b.localDescription as RTCSessionDescription)
      equal([a.signalingState, a.pendingLocalDescription, a.currentLocalDescription?.type], ['stable', null, 'offer'])
      equal(
        [a.remoteDescription?.type, a.currentRemoteDescription?.type, a.pendingRemoteDescription],
        ['answer', 'answer', null],
      )
      equal(log, ['have-local-offer', 'stable'])
      equal(a.canTrickleIceCandidates, true)
    },
  },
  {
    name: 'a pair connects, told by events of both forms',
    run: async (sides) => {
      const [a, b] = [new sides.local.RTCPeerConnection(), new sides.remote.RTCPeerConnection()]
      sides.opened.push(a, b)
      const seen: string[] = []
      let listened = 0
      a.onconnectionstatechange = () => seen.push(a.connectionState)
      a.addEventListener('connectionstatechange', () => listened++)
      const channel = a.createDataChannel('x')
      await signal(a, b)
      await isOpen(channel)
      while (a.connectionState !== 'connected') await once(a, 'connectionstatechange')
      equal(seen, ['connecting', 'connected'])
      equal(listened, 2)
      ok(['connected', 'completed'].includes(a.iceConnectionState), a.iceConnectionState)
      equal(a.sctp?.maxMessageSize, 256 * KiB)
    },
  },
  {
    name: 'candidates trickle, and end with null',
    run: async ({ local, remote, opened }) => {
      const [a, b] = [new local.RTCPeerConnection(), new remote.RTCPeerConnection()]
      opened.push(a, b)
      const gathering: string[] = []
      a.onicegatheringstatechange = () => gathering.push(a.iceGatheringState)
      const candidates: (RTCIceCandidate | null)[] = []
      const complete = new Promise<void>((resolve) => {
        a.onicecandidate = ({ candidate }) => {
          candidates.push(candidate)
          if (candidate === null) resolve()
        }
      })
      a.createDataChannel('x')
      await a.setLocalDescription()
      await complete
      equal(gathering, ['gathering', 'complete'])
      const [first] = candidates
      ok(first, 'there is a candidate')
      equal(candidates.filter((each) => each === null).length, 1)
      ok(first.candidate.startsWith('candidate:'), first.candidate)
      equal(
        [first.sdpMid, first.sdpMLineIndex, first.component, first.protocol, first.type],
        ['0', 0, 'rtp', 'udp', 'host'],
      )
      ok((first.port ?? 0) > 0 && (first.priority ?? 0) > 0 && first.foundation !== null, 'its parts are read')
      ok(a.localDescription?.sdp.includes('a=candidate'), 'candidates are in the description too')
      const json = JSON.parse(JSON.stringify(first)) as RTCIceCandidateInit
      equal([json.candidate, json.sdpMid, json.sdpMLineIndex], [first.candidate, '0', 0])
      equal(json.usernameFragment, first.usernameFragment)
      await b.setRemoteDescription(a.localDescription as RTCSessionDescription)
      await b.addIceCandidate(new local.RTCIceCandidate(json))
      await b.addIceCandidate()
      equal(await failure(() => b.addIceCandidate({ candidate: 'nonsense', sdpMid: '0' })), 'OperationError')
      equal(await failure(() => b.addIceCandidate({ candidate: first.candidate })), 'TypeError')
    },
  },
  {
    name: 'a server that does not answer is told by icecandidateerror',
    run: async ({ local, opened }) => {
      // Port 9 of the own host: whoever is asked says nothing or refuses.
      const a = new local.RTCPeerConnection({ iceServers: [{ urls: 'stun:pocket-ipfs.invalid:9' }] })
      opened.push(a)
      equal(a.getConfiguration().iceServers?.[0]?.urls, ['stun:pocket-ipfs.invalid:9'])
      const errors = once<RTCPeerConnectionIceErrorEvent>(a, 'icecandidateerror')
      a.createDataChannel('x')
      await a.setLocalDescription()
      const { errorCode, url } = await errors
      equal([errorCode, url], [701, 'stun:pocket-ipfs.invalid:9'])
    },
  },
  {
    name: 'a first channel asks for negotiation, and a restart of ICE does',
    run: async (sides) => {
      const a = new sides.local.RTCPeerConnection()
      sides.opened.push(a)
      const asked = once(a, 'negotiationneeded')
      a.createDataChannel('x')
      await asked
      const pair = await connect(sides)
      const again = once(pair.a, 'negotiationneeded')
      pair.a.restartIce()
      await again
    },
  },
  {
    name: 'nonsense is refused by calls, with the names of the standard',
    run: async ({ local, opened }) => {
      const a = new local.RTCPeerConnection()
      opened.push(a)
      equal(await failure(() => a.setRemoteDescription({ type: 'offer', sdp: 'nonsense' })), 'OperationError')
      equal(await failure(() => a.createAnswer()), 'InvalidStateError')
      equal(await failure(() => a.setRemoteDescription({ type: 'answer', sdp: 'v=0' })), 'OperationError')
      equal([a.signalingState, a.connectionState], ['stable', 'new'])
    },
  },
  {
    name: 'a closed connection is closed at once, silently, and refuses everything',
    run: async (sides) => {
      const { a, near } = await connect(sides)
      const log = record(a, 'connectionstatechange', 'iceconnectionstatechange', 'signalingstatechange')
      const closed = once(near, 'close')
      a.close()
      a.close()
      equal([a.connectionState, a.iceConnectionState, a.signalingState], ['closed', 'closed', 'closed'])
      equal(await failure(() => a.createDataChannel('x')), 'InvalidStateError')
      equal(await failure(() => a.createOffer()), 'InvalidStateError')
      equal(await failure(() => a.setLocalDescription()), 'InvalidStateError')
      equal(await failure(() => a.addIceCandidate({ candidate: '', sdpMid: '0' })), 'InvalidStateError')
      await closed
      equal(near.readyState, 'closed')
      equal(log, [])
    },
  },
  {
    name: 'a close of the connection reaches the channels of the other side as an error',
    run: async (sides) => {
      const { b, near } = await connect(sides)
      const log = record(near, ...CHANNEL_EVENTS)
      const failed = once<RTCErrorEvent>(near, 'error')
      const closed = once(near, 'close')
      b.close()
      const { error } = await failed
      equal([error.name, error.errorDetail, error.sctpCauseCode], ['OperationError', 'sctp-failure', 12])
      await closed
      equal(unhurried(log), ['closing', 'error', 'close'])
      equal(near.readyState, 'closed')
    },
  },
  {
    name: 'statistics tell of the connection',
    run: async (sides) => {
      const { a } = await connect(sides)
      const types = [...(await a.getStats())].map(([, stats]: [string, { type: string }]) => stats.type)
      ok(types.includes('transport') && types.includes('data-channel'), types.join(' '))
    },
  },
  {
    name: 'handlers run in the order in which they were first set, and can be unset',
    run: async ({ local, opened }) => {
      const a = new local.RTCPeerConnection()
      opened.push(a)
      const log: string[] = []
      a.addEventListener('negotiationneeded', () => log.push('first'))
      a.onnegotiationneeded = () => log.push('never')
      a.addEventListener('negotiationneeded', () => log.push('third'))
      a.onnegotiationneeded = function (this: unknown) {
        log.push(this === a ? 'second' : 'wrong this')
      }
      a.onsignalingstatechange = () => log.push('unset')
      a.onsignalingstatechange = null
      equal(a.onsignalingstatechange, null)
      const asked = once(a, 'negotiationneeded')
      a.createDataChannel('x')
      await asked
      await a.setLocalDescription()
      equal(log, ['first', 'second', 'third'])
    },
  },
  {
    name: 'descriptions and candidates are made and written as JSON',
    run: async ({ local }) => {
      const description = new local.RTCSessionDescription({ type: 'answer', sdp: 'v=0' })
      equal(JSON.parse(JSON.stringify(description)), { type: 'answer', sdp: 'v=0' })
      const line = 'candidate:7 1 UDP 2113937151 192.0.2.1 5000 typ srflx raddr 10.0.0.1 rport 9 generation 0 ufrag ab'
      const candidate = new local.RTCIceCandidate({ candidate: line, sdpMid: 'data' })
      equal(
        [candidate.foundation, candidate.component, candidate.protocol, candidate.priority, candidate.address],
        ['7', 'rtp', 'udp', 2113937151, '192.0.2.1'],
      )
      equal(
        [candidate.port, candidate.type, candidate.relatedAddress, candidate.relatedPort],
        [5000, 'srflx', '10.0.0.1', 9],
      )
      equal(new local.RTCIceCandidate({ candidate: 'nonsense', sdpMLineIndex: 0 }).address, null)
      equal(await failure(() => new local.RTCIceCandidate({ candidate: line })), 'TypeError')
    },
  },
]
