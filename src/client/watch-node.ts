import type { NodeEvent, WatchHandle } from '../contract/node-api.ts'
import { isPocketError, PocketError } from '../shared/errors.ts'
import { delay } from './clock.ts'
import type { Keeper } from './keeper.ts'

/** Between tries to follow a node that does not start, in ms. */
const RETRY_MS = 2_000

/**
 * Follows the node from host to host.
 * @throws PocketError ERR_INVALID_ARGUMENT
 */
export function watchNode(keeper: Keeper, listener: (event: NodeEvent) => void): WatchHandle {
  if (typeof listener !== 'function') {
    throw new PocketError('ERR_INVALID_ARGUMENT', 'listener is no function', { detail: { argument: 'listener' } })
  }
  const over = new AbortController()
  const { signal } = over
  const tell = (event: NodeEvent): void => {
    if (signal.aborted) return
    try {
      listener(event)
    } catch (error) {
      // The listener's own mistake: shown, and no reason to stop telling.
      reportError(error)
    }
  }
  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const { rpc } = await keeper.session(signal)
        for await (const event of rpc.items('watch', undefined, { signal })) tell(event)
      } catch (error) {
        if (isPocketError(error, 'ERR_CLOSED')) return
        if (!isPocketError(error, 'ERR_HOST_LOST')) await delay(RETRY_MS, signal)
      }
    }
  }
  const unwatch = keeper.watch((host) => tell({ type: 'host', host }))
  void follow()
  return {
    stop: () => {
      unwatch()
      over.abort()
    },
  }
}
