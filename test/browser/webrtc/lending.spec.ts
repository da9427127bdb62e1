/** What only a lent connection can meet: its page goes, freezes or talks nonsense, or there is none. */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { LIMITS } from '../../../src/shared/limits.ts'
import { borrow, type Borrowed } from './borrowed.ts'
import { openFrame } from './frames.ts'
import { bytes, connect, failure, isOpen, messages, once, openChannel, record, signal, type Pair } from './kit.ts'

const MiB = 1024 * 1024
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256' }

/** A lent connection to one of this page's own. */
async function pairOf({ rtc }: Borrowed): Promise<Pair> {
  const opened: RTCPeerConnection[] = []
  onTestFinished(() => opened.forEach((connection) => connection.close()))
  return connect({ local: rtc, remote: window, opened })
}

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
    const { a, near } = await pairOf(borrowed)
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
    await pairOf(borrowed)
    expect(lending.connections()).toBe(1)
  })

  it('that ends the lending closes its connections on both sides', async () => {
    const borrowed = borrow()
    const { lending } = await borrowed.lend()
    const { a, near, far } = await pairOf(borrowed)
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
    const { a } = await pairOf(borrowed)
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

  it('that is detached by the worker lets its connections go', async () => {
    const borrowed = borrow()
    const lenderId = crypto.randomUUID()
    const closed = Promise.withResolvers<void>()
    const { lending } = await borrowed.lend({ lenderId, onClose: closed.resolve })
    const { far } = await pairOf(borrowed)
    const end = once(far, 'close')
    borrowed.lent.detach('another')
    expect(borrowed.lent.state()).toBe('available')
    borrowed.lent.detach(lenderId)
    await Promise.all([end, closed.promise])
    expect(lending.connections()).toBe(0)
  })

  it('that is attached last and willing gets the new connections', async () => {
    const borrowed = borrow()
    const first = (await borrowed.lend()).lending
    const before = await pairOf(borrowed)
    const second = (await borrowed.lend()).lending
    await pairOf(borrowed)
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
    const last = await pairOf(borrowed)
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
    await pairOf(borrowed)
  })
})

describe('a page that is silent', () => {
  it('keeps its connections while there is no other page, and they go on when it wakes', async () => {
    const borrowed = borrow()
    const { page } = await borrowed.lend()
    const { a, near, far } = await pairOf(borrowed)
    const got = messages(far, 1)
    page.shut()
    near.send('during the freeze')
    // A dial under way has no chance, and must not hang.
    const dialled = new borrowed.rtc.RTCPeerConnection()
    await expect(dialled.createOffer()).rejects.toMatchObject({ code: 'ERR_NO_WEBRTC' })
    expect(borrowed.lent.state()).toBe('no-page')
    expect(() => new borrowed.rtc.RTCPeerConnection().createDataChannel('init')).toThrow('No page')
    expect([a.connectionState, near.readyState]).toEqual(['connected', 'open'])
    page.open()
    expect(await got).toEqual(['during the freeze'])
    await borrowed.until('available')
    await pairOf(borrowed)
  })

  it('is replaced by one that answers, whichever comes first; when it wakes it closes what it lent', async () => {
    const borrowed = borrow()
    const closed = Promise.withResolvers<void>()
    const frozen = await borrowed.lend({ onClose: closed.resolve })
    const { a, near, far } = await pairOf(borrowed)
    frozen.page.shut()
    await borrowed.until('no-page')
    const failed = once(a, 'connectionstatechange')
    const { lending } = await borrowed.lend()
    await failed
    expect([a.connectionState, near.readyState]).toEqual(['failed', 'closed'])
    await pairOf(borrowed)
    expect(lending.connections()).toBe(1)
    const gone = once(far, 'close')
    frozen.page.open()
    await Promise.all([closed.promise, gone])
    expect(frozen.lending.connections()).toBe(0)
  })

  it('loses to an older page that answers', async () => {
    const borrowed = borrow()
    const { lending } = await borrowed.lend()
    const frozen = await borrowed.lend()
    const { a } = await pairOf(borrowed)
    frozen.page.shut()
    await once(a, 'connectionstatechange')
    expect(borrowed.lent.state()).toBe('available')
    await pairOf(borrowed)
    expect(lending.connections()).toBe(1)
  })

  it('cannot make the memory of the worker grow without bound, and gets everything in order when it wakes', async () => {
    const borrowed = borrow()
    const { page } = await borrowed.lend()
    const pair = await pairOf(borrowed)
    const channels = [pair, ...(await Promise.all(Array.from({ length: 4 }, (_, n) => openChannel(pair, String(n)))))]
    page.shut()
    const sent = channels.map(({ near }) => {
      let count = 0
      try {
        for (; count < 100; count++) near.send(bytes(256 * 1024, count))
      } catch (error) {
        expect(error).toMatchObject({ name: 'OperationError' })
      }
      return count
    })
    expect(sent, 'full channels, and the one that the page has no room for').toEqual([64, 64, 64, 64, 0])
    expect((sent.reduce((sum, count) => sum + count) * MiB) / 4).toBe(LIMITS.maxLentPortBytes)
    const got = channels.slice(0, 4).map(({ far }) => messages(far, 64))
    page.open()
    for (const list of await Promise.all(got)) {
      list.forEach((data, n) => expect(new Uint8Array(data as ArrayBuffer).at(0)).toBe(bytes(1, n)[0]))
    }
  })

  it('leaves the room of what it did not take to the next', async () => {
    const borrowed = borrow()
    const { page } = await borrowed.lend()
    const pair = await pairOf(borrowed)
    const channels = [pair, ...(await Promise.all(Array.from({ length: 3 }, (_, n) => openChannel(pair, String(n)))))]
    const other = await pairOf(borrowed)
    page.shut()
    for (const { near } of channels) for (let n = 0; n < 64; n++) near.send(new Uint8Array(256 * 1024))
    expect(await failure(() => other.near.send('x'))).toBe('OperationError')
    pair.a.close()
    other.near.send('x')
    page.open()
    expect(await messages(other.far, 1)).toEqual(['x'])
  })
})

it('a worker that takes nothing makes the page close the channel, not grow without bound', async () => {
  const borrowed = borrow()
  const { worker } = await borrowed.lend()
  const { near, far } = await pairOf(borrowed)
  worker.shut()
  far.bufferedAmountLowThreshold = MiB
  // Chromium may take its time from `closing` to `close` while data is on its way.
  const ended = Promise.race([once(far, 'closing'), once(far, 'close')])
  for (let sent = 0; far.readyState === 'open'; sent += 256 * 1024) {
    expect(sent).toBeLessThan(2 * LIMITS.maxLentUnreadBytes)
    far.send(new Uint8Array(256 * 1024))
    if (far.bufferedAmount > 8 * MiB) await Promise.race([once(far, 'bufferedamountlow'), ended])
  }
  await ended
  const error = once<RTCErrorEvent>(near, 'error')
  const closed = once(near, 'close')
  worker.open()
  expect((await error).error.message).toContain('does not take')
  await closed
})

describe('nonsense', () => {
  const NONSENSE = [
    null,
    1,
    'text',
    {},
    { t: 'x' },
    { t: 'event', pc: 0 },
    { t: 'open', pc: 'x' },
    [[]],
    { t: '__proto__' },
  ]

  it('from a page ends its lending', async () => {
    for (const nonsense of NONSENSE) {
      const borrowed = borrow()
      const { port1, port2 } = new MessageChannel()
      const attached = borrowed.attach(port2)
      port1.postMessage({ t: 'hello', lenderId: crypto.randomUUID(), willing: true })
      await attached
      const connection = new borrowed.rtc.RTCPeerConnection()
      const failed = once(connection, 'connectionstatechange')
      port1.postMessage(nonsense)
      await failed
      expect([connection.connectionState, borrowed.lent.state()]).toEqual(['failed', 'no-page'])
      connection.close()
    }
  })

  it('from a worker ends what the page lends', async () => {
    for (const nonsense of NONSENSE) {
      const borrowed = borrow()
      const closed = Promise.withResolvers<void>()
      const { worker, lending } = await borrowed.lend({ onClose: closed.resolve })
      new borrowed.rtc.RTCPeerConnection()
      await expect.poll(() => lending.connections()).toBe(1)
      worker.postMessage(nonsense)
      await closed.promise
      expect(lending.connections()).toBe(0)
    }
  })

  it('that reads well but fits nothing is late, and dropped', async () => {
    const borrowed = borrow()
    const { page, worker, lending } = await borrowed.lend()
    const { near, far } = await pairOf(borrowed)
    page.postMessage({ t: 'drained', channel: 999, bytes: 5 })
    page.postMessage({ t: 'error', pc: 0, call: 999, error: { name: 'Error', message: '' } })
    page.postMessage({ t: 'refused', pc: 999, error: { name: 'Error', message: '' } })
    page.postMessage({ t: 'drained', channel: 0, bytes: 1_000_000 })
    worker.postMessage([
      { t: 'send', channel: 999, data: 'x' },
      { t: 'close', pc: 999 },
      { t: 'call', pc: 999, call: 0, what: { method: 'createOffer' } },
    ])
    const got = messages(far, 1)
    near.send('still there')
    expect(await got).toEqual(['still there'])
    expect([near.bufferedAmount >= 0, lending.connections()]).toEqual([true, 1])
  })
})

describe("the 'init' channel of @libp2p/webrtc", () => {
  /** Signalled, with the remote closing the channel as soon as it arrives. */
  async function initiate(borrowed: Borrowed) {
    const [a, b] = [new borrowed.rtc.RTCPeerConnection(), new RTCPeerConnection()]
    onTestFinished(() => [a, b].forEach((each) => each.close()))
    const init = a.createDataChannel('init')
    const log = record(init, 'open', 'closing', 'close')
    const closed = new Promise<void>((resolve) => {
      b.ondatachannel = ({ channel }) => {
        if (channel.label !== 'init') return
        channel.onclose = () => resolve()
        channel.close()
      }
    })
    await signal(a, b)
    await closed
    // What came from the page about the channel has come when this has.
    await isOpen(a.createDataChannel('after'))
    return { a, init, log }
  }

  it('passes for open until this side has closed it, however early the other side did', async () => {
    const borrowed = borrow()
    await borrowed.lend()
    const { init, log } = await initiate(borrowed)
    expect([init.readyState, log]).toEqual(['open', ['open']])
    const closed = once(init, 'close')
    init.close()
    expect(init.readyState).toBe('closing')
    await closed
    expect([init.readyState, log]).toEqual(['closed', ['open', 'close']])
  })

  it('wakes who waits for it when the page goes, and refuses to be closed', async () => {
    const borrowed = borrow()
    const { lending } = await borrowed.lend()
    const connection = new borrowed.rtc.RTCPeerConnection()
    const init = connection.createDataChannel('init')
    const woken = once(init, 'open')
    lending.close()
    await woken
    expect(init.readyState).toBe('open')
    expect(() => init.close()).toThrow(expect.objectContaining({ code: 'ERR_NO_WEBRTC' }))
    connection.close()
  })
})
