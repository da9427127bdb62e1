import type { Stream } from '@libp2p/interface'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'

/**
 * Sends bytes and waits until they are on their way, so that a peer that does not read holds up the sender and fills no
 * memory here.
 * @throws PocketError ERR_TIMEOUT when the peer takes fewer than LIMITS.answerBytes in LIMITS.answerPaceMs of waiting; what
 * the stream ended with
 */
export type Send = (bytes: Uint8Array) => Promise<void>

/**
 * Of one answer. Only waiting for the peer counts, over all that is sent, so that many small parts are no way round it.
 *
 * Not with `stream.onDrain()`: after its first time it resolves at once (@libp2p/utils 7.4.1, whose promise is never
 * renewed). It can go when that is mended.
 */
export function createSend(stream: Stream): Send {
  let left: number = LIMITS.answerPaceMs
  let taken = 0

  function take(bytes: number): void {
    taken += bytes
    if (taken < LIMITS.answerBytes) return
    taken = 0
    left = LIMITS.answerPaceMs
  }

  async function drained(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let timer: ReturnType<typeof setTimeout> | undefined
    let since = Date.now()
    let queued = stream.writeBufferLength
    let over = false
    const wait = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => reject(new PocketError('ERR_TIMEOUT')), left)
    }
    const look = (): void => {
      // After libp2p's own microtask: at 'idle' it is still in the middle of sending and would not take more.
      queueMicrotask(() => {
        if (over) return
        left = Math.max(0, left - (Date.now() - since))
        since = Date.now()
        take(queued - stream.writeBufferLength)
        queued = stream.writeBufferLength
        if (!stream.writableNeedsDrain && queued === 0) resolve()
        else wait()
      })
    }
    const closed = ({ error }: { error?: Error }): void => reject(error ?? new PocketError('ERR_CLOSED'))
    wait()
    stream.addEventListener('drain', look)
    stream.addEventListener('idle', look)
    stream.addEventListener('close', closed)
    try {
      await promise
    } finally {
      over = true
      clearTimeout(timer)
      stream.removeEventListener('drain', look)
      stream.removeEventListener('idle', look)
      stream.removeEventListener('close', closed)
    }
  }

  return async (bytes) => {
    const goesOn = stream.send(bytes)
    take(bytes.byteLength - stream.writeBufferLength)
    if (!goesOn) await drained()
  }
}
