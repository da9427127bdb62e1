import { randomBytes } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { companion, phone, relayAddress, sendUpTo, until } from './support.ts'
import type { Stream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Phone } from './support.ts'

const ECHO = '/test/echo/1.0.0'
const MiB = 2 ** 20

/** The address that a phone behind the relay has. */
function relayedAddress(node: Phone): Multiaddr {
  const own = node.getMultiaddrs().find((candidate) => candidate.toString().includes('/p2p-circuit'))
  return own ?? expect.fail('no relayed address')
}

/** A stream to `node` through the relay. */
async function relayed(from: Phone, to: Phone): Promise<Stream> {
  const connection = await from.dial(relayedAddress(to))
  return connection.newStream(ECHO, { runOnLimitedConnection: true })
}

async function echo(node: Phone): Promise<void> {
  const handler = (stream: Stream): void => {
    stream.addEventListener('message', ({ data }) => {
      if (stream.status === 'open' && !stream.send(data)) {
        stream.pause()
        stream.addEventListener('drain', () => stream.status === 'open' && stream.resume(), { once: true })
      }
    })
  }
  await node.handle(ECHO, handler, { runOnLimitedConnection: true })
}

/** Sends `bytes` and collects as many that come back, or rejects with how the stream ended. */
async function roundTrip(stream: Stream, bytes: Uint8Array): Promise<Uint8Array> {
  const back: Uint8Array[] = []
  let length = 0
  return new Promise((resolve, reject) => {
    stream.addEventListener('message', ({ data }) => {
      back.push(data.subarray())
      length += data.byteLength
      if (length >= bytes.byteLength) resolve(Buffer.concat(back))
    })
    stream.addEventListener('close', ({ error }) => reject(error ?? new Error('closed')), { once: true })
    stream.send(bytes)
  })
}

describe('relay', () => {
  it('connects two phones that only call', async () => {
    const relay = await companion()
    const [giver, taker] = [await phone({ through: relay }), await phone()]
    await echo(giver)
    expect(relayedAddress(giver).toString()).toBe(
      `${relayAddress(relay).toString()}/p2p-circuit/p2p/${giver.peerId.toString()}`,
    )
    const stream = await relayed(taker, giver)
    const sent = randomBytes(8 * MiB)
    expect(Buffer.compare(await roundTrip(stream, sent), sent)).toBe(0)
    const [connection] = taker.getConnections(giver.peerId)
    expect(connection?.limits?.bytes).toBeGreaterThan(0n)
    expect(relay.health()).toMatchObject({ peers: 2, reservations: 1 })
  })

  it('announces its own addresses and nothing that was guessed', async () => {
    const announce = ['/dns4/example.org/tcp/443/tls/ws']
    const relay = await companion({ announce })
    const node = await phone()
    const { remotePeer } = await node.dial(multiaddr(`/ip4/127.0.0.1/tcp/${relay.port}/ws`))
    const told = await until(async () => {
      const { addresses } = await node.peerStore.get(remotePeer)
      const texts = addresses
        .filter(({ isCertified }) => isCertified)
        .map(({ multiaddr: address }) => address.toString())
      return texts.length > 0 && texts
    })
    expect(told).toEqual(announce)
  })

  it('grants more than the 15 reservations of js-libp2p, and says no past its own limit', async () => {
    const relay = await companion({ maxReservations: 20 })
    for (let index = 0; index < 20; index += 1) await phone({ through: relay })
    expect(relay.health().reservations).toBe(20)
    await expect(phone({ through: relay })).rejects.toThrow('RESERVATION_REFUSED')
  })

  it('forgets a reservation with its connection', async () => {
    const relay = await companion({ maxReservations: 1 })
    const first = await phone({ through: relay })
    await first.stop()
    await until(() => relay.health().reservations === 0)
    const second = await phone({ through: relay })
    await echo(second)
    expect(await roundTrip(await relayed(await phone(), second), randomBytes(10))).toHaveLength(10)
  })

  it('keeps the reservation of a phone that came back past the end of its earlier one', async () => {
    const relay = await companion({ reservationSeconds: 1 })
    const privateKey = await generateKeyPair('Ed25519')
    const first = await phone({ through: relay, privateKey })
    const firstEnds = performance.now() + 1000
    await first.stop()
    await until(() => relay.health().reservations === 0)
    await until(() => performance.now() > firstEnds - 400)
    await phone({ through: relay, privateKey })
    await until(() => performance.now() > firstEnds + 200)
    expect(relay.health().reservations).toBe(1)
  })

  it('tells a caller of a phone that is not there', async () => {
    const relay = await companion()
    const [caller, stranger] = [await phone(), await phone()]
    const address = relayAddress(relay).encapsulate(`/p2p-circuit/p2p/${stranger.peerId.toString()}`)
    await expect(caller.dial(address)).rejects.toThrow('NO_RESERVATION')
  })

  it('ends a circuit at its byte limit, and the next one goes on', async () => {
    const relay = await companion({ circuitBytes: MiB })
    const [giver, taker] = [await phone({ through: relay }), await phone()]
    await echo(giver)
    await expect(roundTrip(await relayed(taker, giver), randomBytes(4 * MiB))).rejects.toThrow()
    await until(() => taker.getConnections(giver.peerId).length === 0)
    expect(await roundTrip(await relayed(taker, giver), randomBytes(1000))).toHaveLength(1000)
  })

  it('ends a circuit at its time limit', async () => {
    const relay = await companion({ circuitSeconds: 1 })
    const [giver, taker] = [await phone({ through: relay }), await phone()]
    const connection = await taker.dial(relayedAddress(giver))
    const begun = performance.now()
    await new Promise((resolve) => connection.addEventListener('close', resolve))
    expect(performance.now() - begun).toBeGreaterThan(800)
    expect(performance.now() - begun).toBeLessThan(10_000)
  })

  it('limits the circuits of one phone', async () => {
    const relay = await companion({ maxCircuitsPerPeer: 2 })
    const giver = await phone({ through: relay })
    for (const caller of [await phone(), await phone()]) await caller.dial(relayedAddress(giver))
    await expect((await phone()).dial(relayedAddress(giver))).rejects.toThrow('RESOURCE_LIMIT_EXCEEDED')
  })

  it('limits the circuits that one address opens, whatever names it takes, and gives the places back', async () => {
    const relay = await companion({ maxCircuitsPerAddress: 2 })
    const giver = await phone({ through: relay })
    const [first] = await Promise.all(
      [await phone(), await phone()].map((caller) => caller.dial(relayedAddress(giver))),
    )
    const third = await phone()
    await expect(third.dial(relayedAddress(giver))).rejects.toThrow('RESOURCE_LIMIT_EXCEEDED')
    await first?.close()
    await until(() => third.dial(relayedAddress(giver)).catch(() => false))
  })

  it('limits the circuits that one phone opens', async () => {
    const relay = await companion({ maxCircuitsPerPeer: 2 })
    const caller = await phone()
    for (let index = 0; index < 2; index += 1) await caller.dial(relayedAddress(await phone({ through: relay })))
    await expect(caller.dial(relayedAddress(await phone({ through: relay })))).rejects.toThrow(
      'RESOURCE_LIMIT_EXCEEDED',
    )
  })

  it('holds little of what a slow phone does not read, and loses nothing of it', async () => {
    const relay = await companion()
    const [giver, taker] = [await phone({ through: relay }), await phone()]
    const arrived = Promise.withResolvers<Stream>()
    const pauseAtOnce = (stream: Stream): void => {
      stream.pause()
      arrived.resolve(stream)
    }
    await giver.handle(ECHO, pauseAtOnce, { runOnLimitedConnection: true })
    const stream = await relayed(taker, giver)
    const sent = await sendUpTo(stream, 64 * MiB, 1000)
    expect(sent).toBeLessThan(8 * MiB)
    let received = 0
    const inbound = await arrived.promise
    inbound.addEventListener('message', ({ data }) => (received += data.byteLength))
    inbound.resume()
    await until(() => received >= sent)
    expect(received).toBe(sent)
  })
})
