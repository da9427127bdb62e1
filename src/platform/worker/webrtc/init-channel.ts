import { PocketError } from '../../../shared/errors.ts'
import { LentDataChannel } from './data-channel.ts'
import type { ChannelReport } from './lender.ts'

/** The label that @libp2p/webrtc gives to the channel with which it begins a connection. */
export const INIT_LABEL = 'init'

/**
 * Works around two faults of initiate-connection.ts in @libp2p/webrtc (seen in 6.0.33; no issue of their own upstream,
 * js-libp2p#3406 describes their neighbours). Its initiator reads candidates until the connection stands or has failed,
 * looks at its 'init' channel, waits for it to open unless it is open, closes it and waits for its `close`.
 *
 * 1. The other side closes every 'init' channel as soon as its own half of the connection stands. When it is faster,
 *    the initiator finds the channel closed and waits for an `open` that was long ago, until its dial is aborted: 2 of 32
 *    dials in plain pages. So the remote close waits until this side has closed the channel too: nothing is sent on it.
 * 2. A connection that fails meanwhile is not noticed, and the same wait follows. So a channel whose page is gone still
 *    passes for open, and refuses to be closed: that is an exception which the dial does notice.
 *
 * To go when the initiator stops waiting for a channel that is closed already.
 */
export class InitChannel extends LentDataChannel {
  #closeIsWanted = false
  #held: ChannelReport[] = []
  #lost: string | undefined

  override get readyState(): string {
    return this.#lost === undefined ? super.readyState : 'open'
  }

  override close(): void {
    this.#closeIsWanted = true
    const lost = this.#lost
    if (lost !== undefined) {
      this.#lost = undefined
      super.fail(lost)
      throw new PocketError('ERR_NO_WEBRTC', lost)
    }
    super.close()
    // After the caller has had the time to listen.
    setTimeout(() => this.#release())
  }

  override receive(report: ChannelReport): void {
    const ends = report.t === 'channel-event' && report.event !== 'open'
    if (ends && !this.#closeIsWanted) this.#held.push(report)
    else super.receive(report)
  }

  override fail(message: string): void {
    if (this.#closeIsWanted) return super.fail(message)
    this.#lost = message
    this.dispatchEvent(new Event('open'))
  }

  #release(): void {
    for (const report of this.#held.splice(0)) super.receive(report)
  }
}
