/** What only a lent connection can meet: its page goes, or there is none. */
import { describe, expect, it, vi } from 'vitest'
import { LIMITS } from '../../../src/shared/limits.ts'
import { borrow } from './borrowed.ts'
import { openFrame } from './frames.ts'
import { lendTo } from './lend-to.ts'
import { bytes, failure, messages, once, record } from './kit.ts'

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256' }

describe('without a page', () => {
  it('a connection can be made and closed, and everything else says ERR_NO_WEBRTC', async () => {
    const { lent, rtc } = borrow()
    expect(lent.state()).toBe('no-page')
    const connection = new rtc.RTCPeerConnection()
    expect(connection.connectionState).toBe('failed')
    expect(() => connection.createDataChannel('init')).toThrow(expect.objectContaining({ code: 'ERR_NO_WEBRTC' }))
    await expect(connection.createOffer()).rejects.toMatchObject({ code: 'ERR_NO_WEBRTC' })
    await expect(connection.setRemoteDescription({ type: 'offer', sdp: '' })).rejects.toMatchObject({
      code: 'ERR_NO_WEBRTC',
    })
    connection.close()
    expect(connection.connectionState).toBe('closed')
  })

  it('tells what changes, and whether there can be one at all', async () => {
    const borrowed = borrow()
    const states: string[] = []
    borrowed.lent.watch(() => states.push(borrowed.lent.state()))
    borrowed.lent.setSupported(false)
    borrowed.lent.setSupported(true)
    const { lending } = await borrowed.lend()
    lending.close()
    await borrowed.until('no-page')
    expect(states).toEqual(['unsupported', 'no-page', 'available', 'no-page'])
  })

  it('leaves the WebRTC of a worker that has its own alone', () => {
    const { lent } = borrow()
    const scope = { RTCPeerConnection: window.RTCPeerConnection }
    lent.install(scope)
    expect(scope.RTCPeerConnection).toBe(window.RTCPeerConnection)
    expect(lent.state()).toBe('available')
  })

  it('refuses certificates, which cannot be lent', async () => {
    const { rtc } = borrow()
    const certificate = await RTCPeerConnection.generateCertificate(ECDSA)
    expect(await failure(() => new rtc.RTCPeerConnection({ certificates: [certificate] }))).toBe('NotSupportedError')
  })
})

describe('a lending page', () => {
  it('names no ICE server that was not named', async () => {
    const borrowed = borrow()
    const configurations: unknown[] = []
    class Watched extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration)
        configurations.push(configuration)
      }
    }
    await borrowed.lend({ RTCPeerConnection: Watched })
    const iceServers = [{ urls: ['turn:turn.invalid'], username: 'u', credential: 'c' }]
    const opened = [
      new borrowed.rtc.RTCPeerConnection(),
      new borrowed.rtc.RTCPeerConnection({ iceServers, iceTransportPolicy: 'relay' }),
    ]
    await opened[1]?.getStats()
    opened.forEach((connection) => connection.close())
    expect(configurations).toEqual([{ iceServers: [] }, { iceServers, iceTransportPolicy: 'relay' }])
  })

  it('that is killed fails its connections at once, with events for all who wait', async () => {
    const borrowed = borrow()
    const frame = await openFrame()
    const { port1, port2 } = new MessageChannel()
    frame.tell({ type: 'lend', port: port2 }, [port2])
    await borrowed.attach(port1)
    const { a, near } = await borrowed.pair()
    const states: string[] = []
    a.onconnectionstatechange = () => states.push(a.connectionState)
    const log = record(near, 'error', 'closing', 'close')
    const [error, closed] = [once<RTCErrorEvent>(near, 'error'), once(near, 'close')]
    for (let n = 0; n < 8; n++) near.send(bytes(256 * 1024))

    const killed = performance.now()
    frame.kill()
    const pending = a.createOffer()
    await expect(pending).rejects.toMatchObject({ code: 'ERR_NO_WEBRTC' })
    expect((await error).error).toMatchObject({ name: 'OperationError', errorDetail: 'data-channel-failure' })
    await closed
    const took = performance.now() - killed
    expect(took, `noticed after ${took} ms`).toBeLessThan(500)
    expect([near.readyState, a.connectionState, a.iceConnectionState]).toEqual(['closed', 'failed', 'failed'])
    expect(log).toEqual(['error', 'close'])
    expect(states).toEqual(['failed'])
    expect(borrowed.lent.state()).toBe('no-page')
    expect(await failure(() => near.send('x'))).toBe('InvalidStateError')
    expect(() => a.createDataChannel('x')).toThrow(expect.objectContaining({ code: 'ERR_NO_WEBRTC' }))

    // The next page takes over.
    const { lending } = await borrowed.lend()
    await borrowed.pair()
    expect(lending.connections()).toBe(1)
  })

  it('that ends the lending closes its connections on both sides', async () => {
    const borrowed = borrow()
    const { lending } = await borrowed.lend()
    const { a, near, far } = await borrowed.pair()
    const ends = [once(near, 'close'), once(far, 'close'), once(a, 'connectionstatechange')]
    lending.close()
    expect(lending.connections()).toBe(0)
    await Promise.all(ends)
    expect(a.connectionState).toBe('failed')
    expect(borrowed.lent.state()).toBe('no-page')
  })

  it('says again that a connection has failed, for those who listen late', async () => {
    const borrowed = borrow()
    const { lending } = await borrowed.lend()
    const { a } = await borrowed.pair()
    const failed = once(a, 'connectionstatechange')
    lending.close()
    await failed
    const again = once(a, 'connectionstatechange')
    await again
    const log = record(a, 'connectionstatechange')
    a.close()
    await vi.waitFor(() => expect(a.connectionState).toBe('closed'))
    expect(log).toEqual([])
  })

  it('that is attached last and willing gets the new connections', async () => {
    const borrowed = borrow()
    const first = (await borrowed.lend()).lending
    const before = await borrowed.pair()
    const second = (await borrowed.lend()).lending
    await borrowed.pair()
    expect([first.connections(), second.connections()]).toEqual([1, 1])
    second.setWilling(false)
    await vi.waitFor(() => {
      new borrowed.rtc.RTCPeerConnection()
      expect(first.connections()).toBeGreaterThan(1)
    })
    // With nobody willing, an unwilling one is better than none.
    const failed = once(before.a, 'connectionstatechange')
    first.close()
    await failed
    const last = await borrowed.pair()
    expect([first.connections(), second.connections() > 0]).toEqual([0, true])
    expect([before.a.connectionState, last.a.connectionState]).toEqual(['failed', 'connected'])
  })

  it('lends no more connections than the limit; closed ones make room', async () => {
    const borrowed = borrow()
    const { lending } = await borrowed.lend()
    const open = () => new borrowed.rtc.RTCPeerConnection()
    const all = Array.from({ length: LIMITS.maxLentConnections }, open)
    const [over] = [open()]
    await once(over, 'connectionstatechange')
    expect([over.connectionState, lending.connections()]).toEqual(['failed', LIMITS.maxLentConnections])
    over.close()
    all.forEach((connection) => connection.close())
    await expect.poll(() => lending.connections()).toBe(0)
    await borrowed.pair()
  })
})

it('a BroadcastChannel can stand in for the port, though it transfers nothing', async () => {
  const borrowed = borrow()
  const name = crypto.randomUUID()
  const [page, worker] = [new BroadcastChannel(name), new BroadcastChannel(name)]
  const lending = await lendTo(page)
  borrowed.lent.attach(worker)
  await borrowed.until('available')
  const { near, far } = await borrowed.pair()
  const [there, back] = [messages(far, 2), messages(near, 1)]
  near.send('text')
  near.send(bytes(100_000))
  far.send(bytes(100_000, 2))
  expect(new Uint8Array((await there)[1] as ArrayBuffer)).toEqual(bytes(100_000))
  expect(new Uint8Array((await back)[0] as ArrayBuffer)).toEqual(bytes(100_000, 2))
  lending.close()
  await borrowed.until('no-page')
})
