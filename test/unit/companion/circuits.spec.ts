import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { RELAY_V2_HOP_CODEC, RELAY_V2_STOP_CODEC } from '@libp2p/circuit-relay-v2'
import { lpStream } from '@libp2p/utils'
import { describe, expect, it } from 'vitest'
import {
  STATUS,
  decodeConnect,
  decodeStopStatus,
  encodeHopStatus,
  encodeStopConnect,
} from '../../../src/companion/relay/circuit-wire.ts'
import { companion, phone, relayAddress, sendUpTo, until } from './support.ts'
import type { Connection, Stream, StreamHandlerOptions } from '@libp2p/interface'
import type { Companion } from '../../../src/companion/companion.ts'

const MiB = 2 ** 20
const RESERVE = Uint8Array.of(8, 0)
const ACCEPT = Uint8Array.of(8, 1, 32, 100)

/** In place of js-libp2p's own handler. */
const BY_HAND: StreamHandlerOptions & { force: boolean } = { force: true }

/** A phone that speaks the relay's protocol by hand: what a hostile or a sloppy one could do. */
async function handMade(relay: Companion) {
  const node = await phone()
  const connection = await node.dial(relayAddress(relay))
  return { node, connection }
}

/** Sends one message on a new stream to the relay; its answer, and the stream from there on. */
async function ask(connection: Connection, message: Uint8Array) {
  const stream = await connection.newStream(RELAY_V2_HOP_CODEC)
  const request = lpStream(stream)
  await request.write(message)
  const answer = (await request.read({ signal: AbortSignal.timeout(5000) })).subarray()
  return { answer: Buffer.from(answer), stream: request.unwrap() }
}

/** CONNECT to a peer, as the specification has it: type 1, peer { id }. */
function connectTo(multihash: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(8, 1, 18, multihash.byteLength + 2, 10, multihash.byteLength), multihash])
}

function statusOf(answer: Uint8Array): number {
  // STATUS ends with field 5, a number of one or two bytes.
  const at = answer.lastIndexOf(40)
  return ((answer[at + 1] ?? 0) & 0x7f) | ((answer[at + 2] ?? 0) << 7)
}

function collect(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

/** Two phones with a circuit; `called` is handed over without a reader. */
async function circuit(relay: Companion) {
  const [giver, taker] = [await handMade(relay), await handMade(relay)]
  const arrived = Promise.withResolvers<Stream>()
  await giver.node.handle(
    RELAY_V2_STOP_CODEC,
    async (stream) => {
      const call = lpStream(stream)
      await call.read()
      await call.write(ACCEPT)
      arrived.resolve(call.unwrap())
    },
    BY_HAND,
  )
  await ask(giver.connection, RESERVE)
  const { answer, stream } = await ask(taker.connection, connectTo(giver.node.peerId.toMultihash().bytes))
  expect(statusOf(answer)).toBe(STATUS.OK)
  return { caller: stream, called: await arrived.promise }
}

describe('circuits', () => {
  it('tells the limits to both sides, in seconds', async () => {
    const relay = await companion({ circuitSeconds: 900, circuitBytes: 5 * MiB })
    const giver = await handMade(relay)
    const heard = Promise.withResolvers<Buffer>()
    await giver.node.handle(
      RELAY_V2_STOP_CODEC,
      async (stream) => {
        const call = lpStream(stream)
        heard.resolve(Buffer.from((await call.read()).subarray()))
        await call.write(ACCEPT)
      },
      BY_HAND,
    )
    const limit = Buffer.of(8, 0x84, 7, 16, 0x80, 0x80, 0xc0, 2)
    expect((await ask(giver.connection, RESERVE)).answer.includes(limit)).toBe(true)
    const taker = await handMade(relay)
    const { answer } = await ask(taker.connection, connectTo(giver.node.peerId.toMultihash().bytes))
    expect(answer.includes(limit)).toBe(true)
    expect((await heard.promise).includes(limit)).toBe(true)
    expect((await heard.promise).includes(Buffer.from(taker.node.peerId.toMultihash().bytes))).toBe(true)
  })

  it('keeps nothing of what it has passed on', async () => {
    const { caller, called } = await circuit(await companion())
    let received = 0
    called.addEventListener('message', ({ data }) => (received += data.byteLength))
    collect()
    const before = process.memoryUsage().arrayBuffers
    expect(await sendUpTo(caller, 64 * MiB)).toBe(64 * MiB)
    await until(() => received === 64 * MiB)
    collect()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MiB)
    expect(caller.status).toBe('open')
  })

  it('holds back one who sends to somebody who does not read', async () => {
    const { caller, called } = await circuit(await companion())
    called.pause()
    const sent = await sendUpTo(caller, 64 * MiB, 1000)
    expect(sent).toBeLessThan(8 * MiB)
    expect([caller.status, called.status]).toEqual(['open', 'open'])
    let received = 0
    called.addEventListener('message', ({ data }) => (received += data.byteLength))
    called.resume()
    await until(() => received >= sent)
    expect(received).toBe(sent)
  })

  it('passes on the end of each direction, with all that was sent before it', async () => {
    const { caller, called } = await circuit(await companion())
    const sent = randomBytes(3 * MiB)
    const received: Uint8Array[] = []
    called.addEventListener('message', ({ data }) => received.push(data.subarray()))
    const ended = new Promise((resolve) => called.addEventListener('remoteCloseWrite', resolve))
    caller.send(sent)
    await caller.close()
    await ended
    expect(Buffer.compare(Buffer.concat(received), sent)).toBe(0)
    const answered = new Promise<number>((resolve) =>
      caller.addEventListener('message', ({ data }) => resolve(data.byteLength)),
    )
    called.send(randomBytes(100))
    expect(await answered).toBe(100)
    const closed = new Promise((resolve) => caller.addEventListener('close', resolve))
    await called.close()
    await closed
  })

  it.each(['caller', 'called'] as const)('ends both sides when the %s resets', async (who) => {
    const both = await circuit(await companion())
    const other = who === 'caller' ? both.called : both.caller
    const closed = new Promise<{ error?: Error }>((resolve) => other.addEventListener('close', resolve))
    both[who].abort(new Error('enough'))
    expect((await closed).error).toBeInstanceOf(Error)
  })

  it('ends circuits when it stops', async () => {
    const relay = await companion()
    const { caller, called } = await circuit(relay)
    const closed = Promise.all(
      [caller, called].map((stream) => new Promise((resolve) => stream.addEventListener('close', resolve))),
    )
    await relay.stop()
    await closed
  })

  it.each<[what: string, answer: (stream: Stream) => Promise<unknown> | undefined]>([
    ['refuses', (stream) => lpStream(stream).write(Uint8Array.of(8, 1, 32, 0xca, 1))],
    ['answers garbage', (stream) => lpStream(stream).write(randomBytes(50))],
    ['hangs up', (stream) => stream.close()],
    ['resets', (stream) => void stream.abort(new Error('no'))],
    ['says nothing', () => undefined],
  ])('tells the caller of a phone that %s, and gives the place back', async (_what, reply) => {
    const relay = await companion({ maxCircuitsPerPeer: 1, upgradeTimeoutMs: 500 })
    const [giver, taker] = [await handMade(relay), await handMade(relay)]
    await giver.node.handle(RELAY_V2_STOP_CODEC, async (stream) => void (await reply(stream)), BY_HAND)
    await ask(giver.connection, RESERVE)
    for (let call = 0; call < 2; call += 1) {
      const asked = ask(taker.connection, connectTo(giver.node.peerId.toMultihash().bytes))
      const status = await asked.then(({ answer }) => statusOf(answer), String)
      expect([STATUS.CONNECTION_FAILED, expect.stringMatching(/reset|EOF|closed/i)]).toContainEqual(status)
    }
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['noise', Uint8Array.from({ length: 60 }, (_, index) => index * 37)],
    ['a CONNECT to nobody', Uint8Array.of(8, 1)],
    ['a CONNECT to a peer without a name', Uint8Array.of(8, 1, 18, 0)],
    ['a CONNECT to what is no peer', Uint8Array.of(8, 1, 18, 4, 10, 2, 9, 9)],
    ['a length past the end', Uint8Array.of(8, 1, 18, 0xff, 0x7f)],
    ['an endless number', new Uint8Array(30).fill(0xff)],
    ['a STATUS', Uint8Array.of(8, 2, 40, 100)],
    ['too much', new Uint8Array(5000)],
  ])('survives %s', async (_what, message) => {
    const relay = await companion()
    const { connection } = await handMade(relay)
    await ask(connection, message).catch(() => undefined)
    const { answer } = await ask(connection, RESERVE)
    expect(answer[1]).toBe(2)
    expect(relay.health().reservations).toBe(1)
  })
})

describe('messages of circuit relay v2', () => {
  const caller = Uint8Array.of(0, 36, ...new Uint8Array(36).fill(5))

  it('reads CONNECT and tells it from the rest', () => {
    expect(decodeConnect(Uint8Array.from(connectTo(caller)))).toEqual(caller)
    expect(decodeConnect(RESERVE)).toBeUndefined()
    expect(decodeConnect(new Uint8Array())).toBeUndefined()
  })

  it('writes what the specification says', () => {
    expect([...encodeHopStatus(STATUS.NO_RESERVATION)]).toEqual([8, 2, 40, 0xcc, 1])
    expect([...encodeHopStatus(STATUS.OK, { seconds: 60, bytes: 300 })]).toEqual([
      8, 2, 34, 5, 8, 60, 16, 0xac, 2, 40, 100,
    ])
    const stop = encodeStopConnect(caller, { seconds: 60, bytes: 1 })
    expect([...stop.subarray(0, 6)]).toEqual([8, 0, 18, 40, 10, 38])
    expect([...stop.subarray(-6)]).toEqual([26, 4, 8, 60, 16, 1])
    expect(decodeStopStatus(ACCEPT)).toBe(100)
    expect(decodeStopStatus(Uint8Array.of(8, 1))).toBeUndefined()
  })

  it('throws nothing but errors on noise', () => {
    for (let round = 0; round < 2000; round += 1) {
      try {
        decodeConnect(randomBytes(round % 40))
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }
  })
})
