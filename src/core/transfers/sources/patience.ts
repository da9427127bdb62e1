import { LIMITS } from '../../../shared/limits.ts'

/** How long a fetch goes on without a block that was missing, in time that this worker was awake. */
export interface Patience {
  /** A missing block came, and was right. */
  arrived(): void
  /** Something came, whatever it is. */
  heard(): void
  /** Whether to go on, when silence may last `ms`. Asked several times a second. */
  lasts(ms: number): boolean
}

/** So many times the patience one block may take on a line that does bring bytes. */
const SLOW = 8

export function createPatience(): Patience {
  let [arrival, byte, looked] = [Date.now(), Date.now(), Date.now()]
  return {
    arrived: () => void (arrival = Date.now()),
    heard: () => void (byte = Date.now()),
    lasts(ms) {
      const now = Date.now()
      // While this worker stood still nobody was silent.
      if (now - looked >= LIMITS.suspendedMs) arrival = byte = now
      looked = now
      const silence = now - arrival
      // A slow line is not a missing block; but bytes that never make a block are nothing.
      return silence <= ms || (now - byte <= ms && silence <= SLOW * ms)
    },
  }
}
