import type { BlockLocation } from './block-index.ts'
import type { Durability } from '../ports.ts'

/** A change that waits for its transaction. */
export interface PendingWrite {
  key: string
  multihash: Uint8Array
  /** What is stored under the key: absent for deletions and for parts of files. */
  value?: Uint8Array
  /** Absent for deletions. */
  location?: BlockLocation
}

export interface WriteQueueInit {
  /** Runs one transaction; what it rejects with is what every write of the batch rejects with. */
  commit(batch: PendingWrite[], durability: Durability): Promise<void>
  /** Of one transaction: changes in all, those that carry bytes, and these bytes. */
  maxWrites: number
  maxValues: number
  maxBytes: number
}

interface Waiting {
  /** Absent for a checkpoint, which makes its transaction a strict one. */
  write?: PendingWrite
  resolve: () => void
  reject: (error: unknown) => void
}

/**
 * Group commit: one transaction at a time, and whatever arrives while it commits goes into the next. A lone writer
 * waits for nothing, a flood is gathered by itself, and no timer has to be tuned.
 */
export class WriteQueue {
  readonly #init: WriteQueueInit
  #waiting: Waiting[] = []
  #running = false

  constructor(init: WriteQueueInit) {
    this.#init = init
  }

  /** Resolves after the commit. */
  push(write: PendingWrite): Promise<void> {
    return this.#push({ write })
  }

  /** Resolves when all that was pushed before is on the disk or has failed. */
  checkpoint(): Promise<void> {
    return this.#push({})
  }

  #push(item: Pick<Waiting, 'write'>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...item, resolve, reject })
      this.#start()
    })
  }

  #start(): void {
    if (this.#running) return
    this.#running = true
    // One turn of the event loop: blocks of one burst arrive in several micro-tasks.
    setTimeout(() => void this.#run(), 0)
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#take()
      try {
        const writes = batch.flatMap(({ write }) => write ?? [])
        await this.#init.commit(writes, writes.length < batch.length ? 'strict' : 'relaxed')
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#running = false
  }

  #take(): Waiting[] {
    let bytes = 0
    let values = 0
    let count = 0
    for (const { write } of this.#waiting) {
      bytes += write?.value?.byteLength ?? 0
      values += write?.value === undefined ? 0 : 1
      const full = values > this.#init.maxValues || bytes > this.#init.maxBytes || count >= this.#init.maxWrites
      if (count > 0 && full) break
      count++
    }
    return this.#waiting.splice(0, count)
  }
}
