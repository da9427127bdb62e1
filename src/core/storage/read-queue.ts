import { LIMITS } from '../../shared/limits.ts'
import type { BlockTable } from '../ports.ts'
import { GatheredReads } from './gathered-reads.ts'

/** Gathers reads into windows of one transaction each, a few of them side by side; the same key is read once a window. */
export class ReadQueue {
  readonly #reads: GatheredReads<string, Uint8Array | undefined>

  constructor(table: Pick<BlockTable, 'getMany'>) {
    this.#reads = new GatheredReads({
      windows: LIMITS.readWindows,
      next: () => LIMITS.readWindowBlocks,
      readWindow: async (window) => {
        const keys = [...new Set(window)]
        const values = await table.getMany(keys)
        const byKey = new Map(keys.map((key, at) => [key, values[at]]))
        const given = new Set<string>()
        return window.map((key) => {
          // Each reader gets bytes of its own: one may transfer them to a port.
          const value = byKey.get(key)
          if (given.has(key)) return value?.slice()
          given.add(key)
          return value
        })
      },
    })
  }

  read(key: string): Promise<Uint8Array | undefined> {
    return this.#reads.read(key)
  }
}
