/** See init-channel.ts. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { borrow, type Borrowed } from './borrowed.ts'
import { isOpen, once, record, signal } from './kit.ts'

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
