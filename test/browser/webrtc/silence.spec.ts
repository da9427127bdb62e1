/** A page that is frozen keeps its connections and its locks, and passes nothing on; and a worker that hangs. */
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../src/shared/limits.ts'
import { borrow } from './borrowed.ts'
import { bytes, failure, messages, once, openChannel } from './kit.ts'

const MiB = 1024 * 1024

describe('a page that is silent', () => {
  it('keeps its connections while there is no other page, and they go on when it wakes', async () => {
    const borrowed = borrow()
    const { page } = await borrowed.lend()
    const { a, near, far } = await borrowed.pair()
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
    await borrowed.pair()
  })

  it('is replaced by one that answers, whichever comes first; when it wakes it closes what it lent', async () => {
    const borrowed = borrow()
    const closed = Promise.withResolvers<void>()
    const frozen = await borrowed.lend({ onClose: closed.resolve })
    const { a, near, far } = await borrowed.pair()
    frozen.page.shut()
    await borrowed.until('no-page')
    const failed = once(a, 'connectionstatechange')
    const { lending } = await borrowed.lend()
    await failed
    expect([a.connectionState, near.readyState]).toEqual(['failed', 'closed'])
    await borrowed.pair()
    expect(lending.connections()).toBe(1)
    const gone = once(far, 'close')
    frozen.page.open()
    await Promise.all([closed.promise, gone])
    expect(frozen.lending.connections()).toBe(0)
  })

  it('is let go when it has never said who it is', async () => {
    const { port1, port2 } = new MessageChannel()
    const farewell = new Promise((resolve) => {
      port2.onmessage = ({ data }) => JSON.stringify(data).includes('bye') && resolve('bye')
    })
    borrow().lent.attach(port1)
    expect(await farewell).toBe('bye')
  })

  it('loses to an older page that answers', async () => {
    const borrowed = borrow()
    const { lending } = await borrowed.lend()
    const frozen = await borrowed.lend()
    const { a } = await borrowed.pair()
    frozen.page.shut()
    await once(a, 'connectionstatechange')
    expect(borrowed.lent.state()).toBe('available')
    await borrowed.pair()
    expect(lending.connections()).toBe(1)
  })

  it('cannot make the memory of the worker grow without bound, and gets everything in order when it wakes', async () => {
    const borrowed = borrow()
    const { page } = await borrowed.lend()
    const pair = await borrowed.pair()
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
    const pair = await borrowed.pair()
    const channels = [pair, ...(await Promise.all(Array.from({ length: 3 }, (_, n) => openChannel(pair, String(n)))))]
    const other = await borrowed.pair()
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
  const { near, far } = await borrowed.pair()
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

it('a worker that takes what comes can be sent more than may be on its way', async () => {
  const borrowed = borrow()
  await borrowed.lend()
  const { near, far } = await borrowed.pair()
  const count = LIMITS.maxLentUnreadBytes / (256 * 1024) + 16
  const got = messages(near, count)
  for (let n = 0; n < count; n++) {
    if (far.bufferedAmount > 8 * MiB) await once(far, 'bufferedamountlow')
    far.send(new Uint8Array(256 * 1024))
  }
  await got
  expect(near.readyState).toBe('open')
})
