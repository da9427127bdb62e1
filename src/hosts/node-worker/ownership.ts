import { HOST_LOCK, hostLock } from '../../contract/host-link.ts'
import { PocketError, toPocketError } from '../../shared/errors.ts'

/** The right to run the node of this origin: a Web Lock, held until it is given up or stolen. */
export interface Ownership {
  /** Fires when another host has taken the node over. */
  lost: AbortSignal
  release(): void
}

/** An owner that is going away (a page that reloads, a worker that was told to stop) lets go within this time, in ms. */
const RELEASE_MS = 1_000

/**
 * @param replaces a host that a page found silent: only that one is robbed of the node
 * @returns undefined when another host owns the node
 */
export async function takeOwnership(replaces: string | undefined): Promise<Ownership | undefined> {
  if (replaces !== undefined && (await isOwner(replaces))) return hold({ steal: true })
  try {
    return await hold({ signal: AbortSignal.timeout(RELEASE_MS) })
  } catch (error) {
    if (toPocketError(error).code === 'ERR_TIMEOUT') return undefined
    throw error
  }
}

function hold(options: LockOptions): Promise<Ownership> {
  return new Promise((resolve, reject) => {
    const lost = new AbortController()
    let held = false
    navigator.locks
      .request(
        HOST_LOCK,
        options,
        () =>
          new Promise<void>((release) => {
            held = true
            resolve({ lost: lost.signal, release })
          }),
      )
      .catch((error: unknown) => {
        // A held lock fails only when it is stolen.
        if (held) lost.abort(new PocketError('ERR_HOST_LOST', 'Another worker runs the node now', { cause: error }))
        else reject(toPocketError(error))
      })
  })
}

/** Whether this very host holds the node: the same worker holds both locks. */
async function isOwner(hostId: string): Promise<boolean> {
  const { held = [] } = await navigator.locks.query()
  const holder = (name: string): string | undefined => held.find((lock) => lock.name === name)?.clientId
  const owner = holder(HOST_LOCK)
  return owner !== undefined && owner === holder(hostLock(hostId))
}
