import type { Stream } from '@libp2p/interface'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'

/**
 * Sends bytes and waits until they are on their way, so that a peer that does not read holds up the sender and fills no
 * memory here.
 *
 * Not with `stream.onDrain()`: after its first time it resolves at once (@libp2p/utils 7.4.1, whose promise is never
 * renewed). It can go when that is mended.
 * @throws PocketError ERR_TIMEOUT when the peer takes nothing for LIMITS.stallTimeoutMs; what the stream ended with
 */
export async function send(stream: Stream, bytes: Uint8Array): Promise<void> {
  if (stream.send(bytes)) return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const look = (): void => {
    // After libp2p's own microtask: at 'idle' it is still in the middle of sending and would not take more.
    queueMicrotask(() => {
      if (!stream.writableNeedsDrain && stream.writeBufferLength === 0) resolve()
    })
  }
  const closed = ({ error }: { error?: Error }): void => reject(error ?? new PocketError('ERR_CLOSED'))
  const timer = setTimeout(() => reject(new PocketError('ERR_TIMEOUT')), LIMITS.stallTimeoutMs)
  stream.addEventListener('drain', look)
  stream.addEventListener('idle', look)
  stream.addEventListener('close', closed)
  try {
    await promise
  } finally {
    clearTimeout(timer)
    stream.removeEventListener('drain', look)
    stream.removeEventListener('idle', look)
    stream.removeEventListener('close', closed)
  }
}
