import type { Stream } from '@libp2p/interface'
import type { CircuitLimit } from './circuit-wire.ts'

/**
 * Passes on what comes on one stream to the other, both ways, until both have ended, one fails, or `limit` is used up. Holds no more than yamux's window of a peer that does not read: the one that sends is held back.
 */
export async function joinStreams(a: Stream, b: Stream, limit: CircuitLimit): Promise<void> {
  const end = (error: Error): void => {
    a.abort(error)
    b.abort(error)
  }
  let left = limit.bytes
  const spend = (bytes: number): boolean => {
    left -= bytes
    if (left < 0) end(new Error(`the circuit's limit of ${limit.bytes} bytes is used up`))
    return left >= 0
  }
  const timer = setTimeout(
    () => end(new Error(`the circuit's limit of ${limit.seconds} s is used up`)),
    limit.seconds * 1000,
  )
  try {
    await Promise.all([forward(a, b, spend), forward(b, a, spend)])
  } catch (error) {
    end(error instanceof Error ? error : new Error(String(error)))
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves when `from` has given all and `to` has been told so; rejects when one of them is aborted or reset. */
function forward(from: Stream, to: Stream, spend: (bytes: number) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      to.close().then(resolve, reject)
    }
    from.addEventListener('message', ({ data }) => {
      if (!spend(data.byteLength)) return
      try {
        if (!to.send(data)) holdBack(from, to)
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
    // Not 'remoteCloseWrite', which comes while a stream that is held back still has data to give.
    from.addEventListener('end', finish, { once: true })
    for (const stream of [from, to]) {
      stream.addEventListener('close', ({ error }) => error !== undefined && reject(error), { once: true })
    }
    if (from.readableEnded) finish()
  })
}

/**
 * Until everything of `to` is sent, not only at its next 'drain': each window update of one byte is one, and a receiver that
 * sends many would fill the memory. Nor with `onDrain()`, which after its first time resolves at once (@libp2p/utils 7.4.1).
 */
function holdBack(from: Stream, to: Stream): void {
  if (from.readStatus !== 'readable') return
  from.pause()
  const look = (): void => {
    // After libp2p's own microtask: at 'idle' it is still in the middle of sending and would not take more.
    queueMicrotask(() => {
      if (to.writableNeedsDrain || to.writeBufferLength > 0) return
      to.removeEventListener('drain', look)
      to.removeEventListener('idle', look)
      if (from.readStatus === 'paused') from.resume()
    })
  }
  to.addEventListener('drain', look)
  to.addEventListener('idle', look)
}
