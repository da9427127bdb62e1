import { StreamResetError, type Stream, type StreamCloseEvent, type StreamMessageEvent } from '@libp2p/interface'
import { PocketError } from '../../shared/errors.ts'

/** A stream whose other side does not close by then is reset, in ms. */
const CLOSE_MS = 5000

/**
 * What arrives on a libp2p stream, as plain chunks. Leaving early resets the stream: the sender must not go on.
 *
 * Not the stream's own iterator: that one misses the end when the other side closed before it was first asked, and
 * waits for ever (libp2p 3.3, `AbstractMessageStream[Symbol.asyncIterator]`; `end` too may have been sent before the
 * bytes that protocol negotiation had read ahead). It can go when a stream that is closed already can be iterated.
 */
export async function* chunksOf(stream: Stream): AsyncGenerator<Uint8Array, void> {
  const queue: Uint8Array[] = []
  let state: { ended: boolean; error?: unknown } = { ended: false }
  let wake = (): void => undefined
  const onMessage = ({ data }: StreamMessageEvent): void => {
    // A list of views: each as it is, without joining them.
    if (data instanceof Uint8Array) queue.push(data)
    else queue.push(...data)
    wake()
  }
  const onEnd = (): void => {
    state = { ...state, ended: true }
    wake()
  }
  const onClose = ({ error }: StreamCloseEvent): void => {
    state = { ended: true, ...(error === undefined ? {} : { error }) }
    wake()
  }
  stream.addEventListener('message', onMessage)
  stream.addEventListener('end', onEnd)
  stream.addEventListener('close', onClose)
  // What is buffered is handed out in a microtask that the 'message' listener has just queued; then comes this one.
  if (stream.remoteWriteStatus === 'closed') queueMicrotask(onEnd)
  let complete = false
  try {
    for (;;) {
      const chunk = queue.shift()
      if (chunk !== undefined) yield chunk
      else if (state.error !== undefined)
        throw new PocketError('ERR_NOT_FOUND', 'The peer broke off', { cause: state.error })
      else if (state.ended) break
      else await new Promise<void>((resolve) => (wake = resolve))
    }
    complete = true
  } finally {
    stream.removeEventListener('message', onMessage)
    stream.removeEventListener('end', onEnd)
    stream.removeEventListener('close', onClose)
    // Not awaited: all that was wanted has come, and a peer may take its time to close.
    if (complete) stream.close({ signal: AbortSignal.timeout(CLOSE_MS) }).catch((error: Error) => stream.abort(error))
    else stream.abort(new StreamResetError('The reader left'))
  }
}
