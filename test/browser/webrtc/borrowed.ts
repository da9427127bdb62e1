import { onTestFinished } from 'vitest'
import type { LendOptions } from '../../../src/platform/page/webrtc/index.ts'
import { createLentWebRtc, type LentWebRtc } from '../../../src/platform/worker/webrtc/index.ts'
import { Gate } from './gate.ts'
import { connect, type Pair, type Rtc } from './kit.ts'
import { lendTo, type CountedLending } from './lend-to.ts'

/** The worker's half, in this page, so that its ports can be looked at. */
export interface Borrowed {
  lent: LentWebRtc
  rtc: Rtc
  /** Lends this page's WebRTC; either end of the port can be shut. */
  lend(options?: Partial<LendOptions>): Promise<{ lending: CountedLending; page: Gate; worker: Gate }>
  /** Takes what a page offers; resolves when it lends. */
  attach(port: MessagePort): Promise<void>
  /** A connection over it to one of this page's own; both are closed when the test ends. */
  pair(): Promise<Pair>
  /** Resolves when the state is this one. */
  until(state: ReturnType<LentWebRtc['state']>): Promise<void>
}

export function borrow(): Borrowed {
  const lent = createLentWebRtc()
  const rtc = {} as Rtc
  lent.install(rtc)
  const until: Borrowed['until'] = (state) =>
    new Promise((resolve) => {
      const look = (): void => {
        if (lent.state() !== state) return
        stop()
        resolve()
      }
      const stop = lent.watch(look)
      look()
    })
  return {
    lent,
    rtc,
    until,
    pair: () => {
      const opened: RTCPeerConnection[] = []
      onTestFinished(() => opened.forEach((connection) => connection.close()))
      return connect({ local: rtc, remote: window, opened })
    },
    attach: async (port) => {
      const gate = new Gate(port)
      lent.attach(gate)
      await gate.heard
    },
    lend: async (options) => {
      const { port1, port2 } = new MessageChannel()
      const [page, worker] = [new Gate(port1), new Gate(port2)]
      const lending = await lendTo(page, options)
      onTestFinished(() => lending.close())
      lent.attach(worker)
      await worker.heard
      return { lending, page, worker }
    },
  }
}
