import type { StorageEstimate } from '../../core/ports.ts'

/**
 * `navigator.storage.estimate()`. Chromium says `usage` and what is free on the disk up to 10 GiB, so the quota grows with
 * the usage and nears it only where the disk is nearly full; a quota that a test or the person has set is enforced and
 * not told. Safari before 17 has none.
 */
export const storageEstimate: StorageEstimate = async () => {
  const storage = navigator.storage as StorageManager | undefined
  if (typeof storage?.estimate !== 'function') return undefined
  const { usage, quota } = await storage.estimate()
  return usage === undefined || quota === undefined ? undefined : { usage, quota }
}
