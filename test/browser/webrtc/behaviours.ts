import {
  bytes,
  CHANNEL_EVENTS,
  connect,
  equal,
  failure,
  isOpen,
  messages,
  ok,
  once,
  openChannel,
  record,
  same,
  signal,
  type Behaviour,
} from './kit.ts'

const KiB = 1024
const MiB = 1024 * KiB

/** Chromium leaves `closing` out when the close that follows is there already. */
const unhurried = (log: string[]): string[] => (log[0] === 'closing' ? log : ['closing', ...log])

/** What a WebRTC implementation does, in Chromium 156 and by webrtc-pc; run on the real one and on the lent one. */
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

/** The same for data channels. */
export const CHANNEL_BEHAVIOURS: Behaviour[] = [
  {
    name: 'a channel tells both sides what it is',
    run: async (sides) => {
      const pair = await connect(sides)
      const options = { ordered: false, maxRetransmits: 3, protocol: 'proto' }
      const { near, far } = await openChannel(pair, 'läbel', options)
      for (const side of [near, far]) {
        equal([side.label, side.protocol, side.ordered, side.maxRetransmits], ['läbel', 'proto', false, 3])
        equal([side.maxPacketLifeTime, side.negotiated], [null, false])
        equal([side.binaryType, side.bufferedAmount, side.bufferedAmountLowThreshold], ['arraybuffer', 0, 0])
      }
      equal([pair.near.ordered, pair.near.maxRetransmits], [true, null])
      const timed = await openChannel(pair, '', { maxPacketLifeTime: 500 })
      equal([timed.far.label, timed.far.maxPacketLifeTime], ['', 500])
    },
  },
  {
    name: 'both sides agree on ids, and each side has its own',
    run: async (sides) => {
      const { local, remote, opened } = sides
      const a = new local.RTCPeerConnection()
      opened.push(a)
      equal(a.createDataChannel('x').id, null, 'the id of a channel before there is a connection')
      const pair = await connect({ local, remote, opened })
      const second = await openChannel(pair, 'second')
      const third = await openChannel({ ...pair, a: pair.b, b: pair.a }, 'third')
      const ids = [pair.near, second.near, third.near].map(({ id }) => id)
      equal(
        [pair.far, second.far, third.far].map(({ id }) => id),
        ids,
      )
      equal(new Set(ids).size, 3)
      equal((ids[0] ?? 0) % 2, (ids[1] ?? 0) % 2)
      ok((ids[0] ?? 0) % 2 !== (ids[2] ?? 0) % 2, 'the two sides count apart')
    },
  },
  {
    name: 'negotiated channels meet by their id',
    run: async (sides) => {
      const { a, b } = await connect(sides)
      const arrivals = record(b, 'datachannel')
      const [near, far] = [a, b].map((side) => side.createDataChannel('same', { negotiated: true, id: 77 }))
      ok(near && far, 'two channels')
      equal([near.id, far.id, near.negotiated], [77, 77, true])
      await Promise.all([isOpen(near), isOpen(far)])
      const got = messages(far, 1)
      near.send('by id')
      equal(await got, ['by id'])
      equal(arrivals, [])
    },
  },
  {
    name: 'what createDataChannel cannot take is refused',
    run: async ({ local, opened }) => {
      const a = new local.RTCPeerConnection()
      opened.push(a)
      const create = (options: RTCDataChannelInit, label = 'x') => failure(() => a.createDataChannel(label, options))
      equal(await create({ maxPacketLifeTime: 1, maxRetransmits: 1 }), 'TypeError')
      equal(await create({ negotiated: true }), 'TypeError')
      equal(await create({ negotiated: true, id: 65535 }), 'TypeError')
      equal(await create({}, 'x'.repeat(65536)), 'TypeError')
      equal(await create({ protocol: 'ä'.repeat(32768) }), 'TypeError')
      equal(await create({ id: 7 }), 'nothing')
    },
  },
  {
    name: 'text and bytes arrive as what they were, empty ones too',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      const got = messages(far, 5)
      near.send('plain')
      near.send('ünï \u{1F4C4} ' + String.fromCharCode(0xd800))
      near.send('')
      near.send(new ArrayBuffer(0))
      near.send(bytes(100).buffer)
      const [plain, unicode, empty, none, binary] = await got
      equal([plain, unicode, empty], ['plain', 'ünï \u{1F4C4} \ufffd', ''])
      equal((none as ArrayBuffer).byteLength, 0)
      ok(same(new Uint8Array(binary as ArrayBuffer), bytes(100)), 'the bytes are the same')
    },
  },
  {
    name: 'messages of 16 and 256 KiB arrive whole, a larger one is refused',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      for (const size of [16 * KiB, 256 * KiB]) {
        const got = messages(far, 1)
        near.send(bytes(size, size))
        ok(same(new Uint8Array((await got)[0] as ArrayBuffer), bytes(size, size)), `${size} bytes are the same`)
      }
      equal(await failure(() => near.send(new Uint8Array(256 * KiB + 1))), 'TypeError')
      equal(await failure(() => near.send('x'.repeat(256 * KiB + 1))), 'TypeError')
      equal(near.readyState, 'open')
    },
  },
  {
    name: 'messages arrive in the order in which they were sent',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      const got = messages(far, 2000)
      for (let n = 0; n < 2000; n++) {
        if (n % 3 === 0) near.send(String(n))
        else near.send(new Uint32Array([n, ...bytes(n % 50)]))
      }
      const numbers = (await got).map((data) =>
        typeof data === 'string' ? Number(data) : new Uint32Array(data as ArrayBuffer)[0],
      )
      equal(
        numbers,
        Array.from({ length: 2000 }, (_, n) => n),
      )
    },
  },
  {
    name: 'each message is a task of its own: one can be awaited after the other',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      const read = async (): Promise<unknown[]> => {
        const got: unknown[] = []
        while (got.length < 50) {
          got.push((await once<MessageEvent<unknown>>(far, 'message')).data)
          // A few turns of the microtask queue, as any chain of promises takes them.
          for (let turn = 0; turn < 10; turn++) await Promise.resolve()
        }
        return got
      }
      const reading = read()
      for (let n = 0; n < 50; n++) near.send(String(n))
      equal(
        await reading,
        Array.from({ length: 50 }, (_, n) => String(n)),
      )
    },
  },
  {
    name: 'binaryType decides what bytes arrive as',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      far.binaryType = 'blob'
      const blob = messages(far, 2)
      near.send(bytes(10))
      near.send('text')
      const [data, text] = await blob
      ok(data instanceof Blob && same(new Uint8Array(await data.arrayBuffer()), bytes(10)), 'a Blob with the bytes')
      equal(text, 'text')
      far.binaryType = 'arraybuffer'
      far.binaryType = 'nonsense' as BinaryType
      equal(far.binaryType, 'arraybuffer')
      const buffer = messages(far, 1)
      near.send(bytes(10))
      ok((await buffer)[0] instanceof ArrayBuffer, 'an ArrayBuffer')
    },
  },
  {
    name: 'a Blob can be sent',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      const got = messages(far, 1)
      near.send(new Blob([bytes(5000)]))
      equal(near.bufferedAmount, 5000)
      ok(same(new Uint8Array((await got)[0] as ArrayBuffer), bytes(5000)), 'the bytes are the same')
    },
  },
  {
    name: 'send leaves what the caller has untouched, and takes it as it is now',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      const got = messages(far, 3)
      const large = bytes(1000)
      near.send(large.subarray(100, 200))
      near.send(new DataView(large.buffer, 300, 10))
      near.send(large.buffer)
      large.fill(0)
      equal(large.buffer.byteLength, 1000)
      const [part, view, all] = (await got).map((data) => new Uint8Array(data as ArrayBuffer))
      ok(part && same(part, bytes(1000).subarray(100, 200)), 'the part')
      ok(view && same(view, bytes(1000).subarray(300, 310)), 'the view')
      ok(all && same(all, bytes(1000)), 'the whole')
    },
  },
  {
    name: 'bufferedAmount counts at once and falls to nothing, told once',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      const got = messages(far, 12)
      let told = 0
      near.onbufferedamountlow = () => told++
      const low = once(near, 'bufferedamountlow')
      near.send('ä')
      equal(near.bufferedAmount, 2)
      near.send('')
      equal(near.bufferedAmount, 2)
      for (let n = 0; n < 10; n++) near.send(bytes(64 * KiB))
      equal(near.bufferedAmount, 640 * KiB + 2)
      await Promise.resolve()
      equal(near.bufferedAmount, 640 * KiB + 2, 'nothing leaves within one task')
      await low
      equal(near.bufferedAmount, 0)
      await got
      equal(told, 1)
    },
  },
  {
    name: 'a threshold is told each time it is crossed, and only then',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      near.bufferedAmountLowThreshold = MiB
      const levels: number[] = []
      near.addEventListener('bufferedamountlow', () => levels.push(near.bufferedAmount))
      for (const rounds of [1, 2]) {
        const got = messages(far, 16)
        const low = once(near, 'bufferedamountlow')
        for (let n = 0; n < 16; n++) near.send(bytes(256 * KiB))
        await Promise.all([low, got])
        equal(levels.length, rounds)
      }
      ok(
        levels.every((level) => level <= MiB),
        levels.join(' '),
      )
      // Below the threshold all the time.
      const got = messages(far, 1)
      near.send(bytes(1000))
      await got
      equal(levels.length, 2)
    },
  },
  {
    name: 'a full queue is refused; the channel stays open and delivers what it took',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      const got = messages(far, 64)
      for (let n = 0; n < 64; n++) near.send(bytes(256 * KiB, n))
      equal(near.bufferedAmount, 16 * MiB)
      equal(await failure(() => near.send('x')), 'OperationError')
      equal([near.readyState, near.bufferedAmount], ['open', 16 * MiB])
      const all = (await got) as ArrayBuffer[]
      ok(
        all.every((data, n) => same(new Uint8Array(data), bytes(256 * KiB, n))),
        'all arrive, in order',
      )
      if (near.bufferedAmount > 0) await once(near, 'bufferedamountlow')
      near.send('x')
    },
  },
  {
    name: 'a channel that is not open refuses to send',
    run: async (sides) => {
      const { a, near, far } = await connect(sides)
      const early = a.createDataChannel('early')
      equal(early.readyState, 'connecting')
      equal(await failure(() => early.send('x')), 'InvalidStateError')
      near.close()
      equal(near.readyState, 'closing')
      equal(await failure(() => near.send('x')), 'InvalidStateError')
      await once(far, 'close')
      equal(await failure(() => far.send('x')), 'InvalidStateError')
    },
  },
  {
    name: 'a close is told to both sides, once',
    run: async (sides) => {
      const { a, near, far } = await connect(sides)
      const [here, there] = [record(near, ...CHANNEL_EVENTS), record(far, ...CHANNEL_EVENTS)]
      const closed = [once(near, 'close'), once(far, 'close')]
      near.close()
      near.close()
      await Promise.all(closed)
      equal([near.readyState, far.readyState], ['closed', 'closed'])
      equal([here, unhurried(there)], [['close'], ['closing', 'close']])
      equal(a.connectionState, 'connected', 'the connection lives on')
    },
  },
  {
    name: 'a close by the other side is told once',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      const log = record(near, ...CHANNEL_EVENTS)
      near.onclosing = () => equal(near.readyState, 'closing')
      const closed = once(near, 'close')
      far.close()
      await closed
      equal([unhurried(log), near.readyState], [['closing', 'close'], 'closed'])
    },
  },
  {
    name: 'what was sent before a close still arrives',
    run: async (sides) => {
      const { near, far } = await connect(sides)
      let got = 0
      far.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => (got += data.byteLength)
      for (let n = 0; n < 32; n++) near.send(bytes(256 * KiB))
      near.close()
      await once(far, 'close')
      equal(got, 8 * MiB)
    },
  },
  {
    name: 'a listener of datachannel misses neither open nor the first message',
    run: async (sides) => {
      const { a, b } = await connect(sides)
      const remote = b.createDataChannel('greeting')
      remote.onopen = () => remote.send('hello')
      const { channel } = await once<RTCDataChannelEvent>(a, 'datachannel')
      const log = record(channel, 'open', 'message')
      equal((await once<MessageEvent<unknown>>(channel, 'message')).data, 'hello')
      equal(log, ['open', 'message'])
    },
  },
  {
    name: 'a channel can be closed before it opens',
    run: async (sides) => {
      const { a } = await connect(sides)
      const channel = a.createDataChannel('short')
      const log = record(channel, 'open', 'close')
      channel.close()
      equal(channel.readyState, 'closing')
      await once(channel, 'close')
      equal(log, ['close'])
    },
  },
  {
    name: 'many channels carry data at once',
    run: async (sides) => {
      const { a, b } = await connect(sides)
      const expected = Array.from({ length: 30 }, (_, n) => 20 * (1000 + n))
      const got = expected.map(() => 0)
      const whole = new Promise<void>((resolve) => {
        b.ondatachannel = ({ channel }) => {
          channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
            const n = Number(channel.label)
            got[n] = (got[n] ?? 0) + data.byteLength
            if (got.every((size, at) => size === expected[at])) resolve()
          }
        }
      })
      for (let n = 0; n < 30; n++) {
        const channel = a.createDataChannel(String(n))
        channel.onopen = () => {
          for (let at = 0; at < 20; at++) channel.send(bytes(1000 + n))
        }
      }
      await whole
      equal(got, expected)
    },
  },
]
