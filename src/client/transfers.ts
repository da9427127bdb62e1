import type { CallOptions, Transfer, TransfersApi } from '../contract/node-api.ts'
import type { Keeper } from './keeper.ts'
import { readOnce } from './retry.ts'
import { watchItems } from './watch-node.ts'

type ById = 'transfers.get' | 'transfers.pause' | 'transfers.resume' | 'transfers.cancel' | 'transfers.retry'

/** Every call says what is to be, not what is to change: made twice, at two hosts, it comes to the same. */
export function createTransfersApi(keeper: Keeper): TransfersApi {
  const pass = (signal: AbortSignal | undefined): CallOptions => (signal === undefined ? {} : { signal })
  const byId =
    (method: ById) =>
    (id: string, { signal }: CallOptions = {}): Promise<Transfer> =>
      readOnce(keeper, signal, (rpc) => rpc.call(method, { id }, pass(signal)))
  return {
    start: (request, { signal } = {}) =>
      readOnce(keeper, signal, (rpc) => rpc.call('transfers.start', request, pass(signal))),
    list: ({ signal } = {}) => readOnce(keeper, signal, (rpc) => rpc.call('transfers.list', undefined, pass(signal))),
    get: byId('transfers.get'),
    pause: byId('transfers.pause'),
    resume: byId('transfers.resume'),
    cancel: byId('transfers.cancel'),
    retry: byId('transfers.retry'),
    watch: (listener) => {
      const watching = watchItems(
        keeper,
        (rpc, signal) => rpc.items('transfers.watch', undefined, { signal }),
        listener,
      )
      return { stop: () => watching.stop() }
    },
  }
}
