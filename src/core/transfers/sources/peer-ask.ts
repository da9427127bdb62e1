import type { Connection } from '@libp2p/interface'
import { PocketError } from '../../../shared/errors.ts'
import { LIMITS } from '../../../shared/limits.ts'
import { httpGet } from '../../gateway/http-client.ts'
import { HTTP_PROTOCOL } from '../../gateway/http-head.ts'
import type { Ask } from './http-source.ts'

/** HTTP over a stream of libp2p for each request. `connection` gives the best one there is at that moment. */
export function askPeer(connection: () => Connection | undefined): Ask {
  return async (path, accept, signal) => {
    const open = connection()
    if (open === undefined) throw new PocketError('ERR_NOT_FOUND', 'The peer is gone')
    // libp2p bounds the negotiation of a stream only where no signal is passed.
    const soon = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.requestHeadTimeoutMs)])
    const stream = await open.newStream(HTTP_PROTOCOL, { signal: soon, runOnLimitedConnection: true })
    const abort = (): void => stream.abort(new PocketError('ERR_ABORTED'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    const { status, headers, body } = await httpGet(stream, path, accept)
    return {
      status,
      header: (name) => headers.get(name),
      body: ended(body, () => signal.removeEventListener('abort', abort)),
    }
  }
}

/** A stream that has ended is closed in peace. */
async function* ended(body: AsyncIterable<Uint8Array>, onEnd: () => void): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body
  } finally {
    onEnd()
  }
}
