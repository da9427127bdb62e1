import type { NodeEvent, WatchHandle } from '../contract/node-api.ts'
import { isPocketError, PocketError } from '../shared/errors.ts'
import { delay } from './clock.ts'
import type { Keeper } from './keeper.ts'
import type { Session } from './session.ts'

/** Between tries to follow a node that does not start, in ms. */
const RETRY_MS = 2_000

/**
 * Follows the node from host to host.
 * @throws PocketError ERR_INVALID_ARGUMENT
 */
export function watchNode(keeper: Keeper, listener: (event: NodeEvent) => void): WatchHandle {
  const watching = watchItems(keeper, (rpc, signal) => rpc.items('watch', undefined, { signal }), listener)
  const unwatch = keeper.watch((host) => watching.tell({ type: 'host', host }))
  return {
    stop: () => {
      unwatch()
      watching.stop()
    },
  }
}

export interface Watching<T> extends WatchHandle {
  /** As if it had come from the node. */
  tell(item: T): void
}

/**
 * Follows one stream of items from host to host.
 * @throws PocketError ERR_INVALID_ARGUMENT
 */
export function watchItems<T>(
  keeper: Keeper,
  call: (rpc: Session['rpc'], signal: AbortSignal) => AsyncIterable<T>,
  listener: (item: T) => void,
): Watching<T> {
  if (typeof listener !== 'function') {
    throw new PocketError('ERR_INVALID_ARGUMENT', 'listener is no function', { detail: { argument: 'listener' } })
  }
  const over = new AbortController()
  const { signal } = over
  const tell = (item: T): void => {
    if (signal.aborted) return
    try {
      listener(item)
    } catch (error) {
      // The listener's own mistake: shown, and no reason to stop telling.
      reportError(error)
    }
  }
  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const { rpc } = await keeper.session(signal)
        for await (const item of call(rpc, signal)) tell(item)
      } catch (error) {
        if (isPocketError(error, 'ERR_CLOSED')) return
        if (!isPocketError(error, 'ERR_HOST_LOST')) await delay(RETRY_MS, signal)
      }
    }
  }
  void follow()
  return { tell, stop: () => over.abort() }
}
