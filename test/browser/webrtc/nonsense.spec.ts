/** Neither side trusts the other to make sense. */
import { describe, expect, it } from 'vitest'
import { borrow } from './borrowed.ts'
import { messages, once } from './kit.ts'

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
    const { near, far } = await borrowed.pair()
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
