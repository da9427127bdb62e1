import { LIMITS } from '../../shared/limits.ts'
import type { BlockTable } from '../ports.ts'

interface Waiting {
  key: string
  resolve: (value: Uint8Array | undefined) => void
  reject: (error: unknown) => void
}

/** Gathers reads into windows of one transaction each, a few of them side by side; the same key is read once a window. */
export class ReadQueue {
  readonly #table: Pick<BlockTable, 'getMany'>
  #waiting: Waiting[] = []
  #running = 0
  #scheduled = false

  constructor(table: Pick<BlockTable, 'getMany'>) {
    this.#table = table
  }

  read(key: string): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      queueMicrotask(() => {
        this.#scheduled = false
        this.#start()
      })
    })
  }

  #start(): void {
    while (this.#waiting.length > 0 && this.#running < LIMITS.readWindows) {
      void this.#run(this.#waiting.splice(0, LIMITS.readWindowBlocks))
    }
  }

  async #run(window: Waiting[]): Promise<void> {
    this.#running++
    try {
      const keys = [...new Set(window.map(({ key }) => key))]
      const values = await this.#table.getMany(keys)
      const byKey = new Map(keys.map((key, at) => [key, values[at]]))
      const given = new Set<string>()
      for (const { key, resolve } of window) {
        // Each reader gets bytes of its own: one may transfer them to a port.
        const value = byKey.get(key)
        resolve(given.has(key) ? value?.slice() : value)
        given.add(key)
      }
    } catch (error) {
      for (const { reject } of window) reject(error)
    } finally {
      this.#running--
      this.#start()
    }
  }
}
