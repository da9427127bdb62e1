import type { Libp2p } from '@libp2p/interface'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'

/** Brings the network of the node up, and tries again for as long as that fails. */
export interface NetworkStart {
  begin(): void
  /** Settles with the attempt that is under way, or as the last one did. @throws PocketError ERR_NETWORK_START */
  up(): Promise<void>
  /** Why the last attempt failed. */
  error(): PocketError | undefined
  /** No further attempt; resolves when the one under way has ended. */
  stop(): Promise<void>
}

export interface NetworkStartInit {
  /** One attempt; `again` when one has failed before. */
  attempt: (again: boolean) => Promise<void>
  /** An attempt has ended. */
  onSettled: () => void
}

export function createNetworkStart({ attempt, onSettled }: NetworkStartInit): NetworkStart {
  let failure: PocketError | undefined
  let failures = 0
  let stopped = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let ended: Promise<void> = Promise.resolve()
  const first = Promise.withResolvers<void>()
  first.promise.catch(() => undefined)
  let up = first.promise

  async function run({ resolve, reject }: Pick<typeof first, 'resolve' | 'reject'>): Promise<void> {
    try {
      await attempt(failures > 0)
      failure = undefined
      resolve()
    } catch (error) {
      failure = new PocketError('ERR_NETWORK_START', undefined, { cause: error })
      reject(failure)
      const delay = Math.min(LIMITS.maxNetworkRetryMs, LIMITS.networkRetryMs * 2 ** Math.min(failures++, 10))
      if (!stopped) timer = setTimeout(again, delay)
    }
    onSettled()
  }

  function again(): void {
    const next = Promise.withResolvers<void>()
    // Whoever dials is told.
    next.promise.catch(() => undefined)
    up = next.promise
    ended = run(next)
  }

  return {
    begin: () => void (ended = run(first)),
    up: () => up,
    error: () => failure,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await ended
    },
  }
}

/**
 * Makes a libp2p that failed to start fit for the next start; rejects when that is not possible yet. libp2p stops its parts
 * while some of them still start, and stays `stopping`, taking a start for done, when one of them cannot stop. Handlers that
 * were registered before the failure would be refused the second time.
 */
export async function resetLibp2p(libp2p: Libp2p): Promise<void> {
  // Else `stop` does nothing.
  libp2p.status = 'started'
  await libp2p.stop()
  await libp2p.unhandle(libp2p.getProtocols())
}
