import { HOST_LOCK, hostLock } from '../contract/host-link.ts'

/** Resolves, once the lock is held, to what lets it go. */
export function holdLock(name: string, options: LockOptions = {}): Promise<() => void> {
  return new Promise((resolve, reject) => {
    navigator.locks.request(name, options, () => new Promise<void>((release) => resolve(release))).catch(reject)
  })
}

/** Calls back when nobody holds the lock any more: its holder is gone. Not after `signal` has fired. */
export function whenFree(name: string, signal: AbortSignal, callback: () => void): void {
  navigator.locks
    // Shared: all who wait are told at once.
    .request(name, { mode: 'shared', signal }, () => {
      if (!signal.aborted) callback()
    })
    .catch(() => undefined)
}

/** The host that owns the node now, alive or not. */
export async function findOwner(): Promise<string | undefined> {
  const { held = [] } = await navigator.locks.query()
  const worker = held.find((lock) => lock.name === HOST_LOCK)?.clientId
  const prefix = hostLock('')
  return held
    .find((lock) => lock.clientId === worker && lock.name?.startsWith(prefix) === true)
    ?.name?.slice(prefix.length)
}
