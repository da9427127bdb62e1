import { LIMITS } from '../../shared/limits.ts'
import type { StorageEstimate } from '../ports.ts'
import type { Collector } from './collector.ts'

/** Keeps room in the storage: frees what nothing needs before the quota is hit, and when it was. */
export interface Room {
  /** Something was written. Looks now and then whether the quota is near. */
  onWritten(bytes: number): void
  /** A write of so many bytes found no room. Resolves to whether to try once more. */
  makeRoom(bytes: number): Promise<boolean>
  /** The store is open: this is who frees. */
  by(collector: Pick<Collector, 'evict'>): void
}

/** @param estimate absent where the browser does not tell */
export function createRoom(estimate?: StorageEstimate): Room {
  let collector: Pick<Collector, 'evict'> | undefined
  let unseen = 0
  let looking = false
  let making: { bytes: number; done: Promise<boolean> } | undefined

  async function look(): Promise<void> {
    const found = await estimate?.()
    if (found === undefined) return
    const { usage, quota } = found
    const reserve = Math.min(LIMITS.reserveBytes, quota * LIMITS.reserveShare)
    if (quota - usage < reserve) await collector?.evict(reserve)
  }

  return {
    by: (freeing) => void (collector = freeing),

    onWritten(bytes) {
      unseen += bytes
      if (unseen < LIMITS.roomCheckBytes || looking) return
      unseen = 0
      looking = true
      // Ahead of need: if it fails, the write that finds no room says so.
      void look()
        .catch(() => undefined)
        .finally(() => (looking = false))
    },

    async makeRoom(bytes) {
      // All writes of a transaction fail together: one of them makes room for all.
      if (making !== undefined && bytes <= making.bytes) return making.done
      if (collector === undefined) return false
      const wanted = Math.max(bytes, LIMITS.evictStepBytes)
      const done = collector.evict(wanted).then(
        (room) => room > 0,
        () => false,
      )
      const mine = { bytes: wanted, done }
      making = mine
      try {
        return await done
      } finally {
        if (making === mine) making = undefined
      }
    },
  }
}
