import type { FetchPort } from '../ports.ts'
import type { Connectivity } from './connectivity.ts'

/** Gateways are asked past libp2p: what they send is counted here, and nobody is asked while the node is to be quiet. */
export function meteredFetch(fetch: FetchPort, connectivity: Pick<Connectivity, 'blocked' | 'meter'>): FetchPort {
  return async (url, request) => {
    const blocked = connectivity.blocked()
    // A browser may say that there is no network where there is one.
    if (blocked !== undefined && (blocked.code !== 'ERR_OFFLINE' || blocked.detail?.chosen === true)) throw blocked
    const response = await fetch(url, request)
    const peer = connectivity.meter.peer(new URL(url).origin)
    const count = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        connectivity.meter.count('in', chunk.byteLength)
        peer.in += chunk.byteLength
        controller.enqueue(chunk)
      },
    })
    const { status, headers, body } = response
    return { status, headers, body: body?.pipeThrough(count) ?? null }
  }
}
