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
  unhurried,
  type Behaviour,
} from './kit.ts'

const KiB = 1024
const MiB = 1024 * KiB

/** How an RTCDataChannel lives, in Chromium 156 and by webrtc-pc. */
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
]
