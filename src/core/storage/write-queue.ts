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
  /** Work of its own that no transaction of the queue may cross. */
  alone?: () => Promise<void>
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

  /** Runs `work` in its turn, with no commit of this queue beside it. */
  alone(work: () => Promise<void>): Promise<void> {
    return this.#push({ alone: work })
  }

  #push(item: Pick<Waiting, 'write' | 'alone'>): Promise<void> {
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
        if (batch[0]?.alone !== undefined) await batch[0].alone()
        else await this.#init.commit(writes, writes.length < batch.length ? 'strict' : 'relaxed')
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
    let changes = 0
    let count = 0
    for (const { write, alone } of this.#waiting) {
      if (alone !== undefined) {
        count ||= 1
        break
      }
      if (write !== undefined) {
        // Deletions keep to themselves: they must not fail because there is no room for what came with them.
        const carries = write.value !== undefined
        if (changes > 0 && carries !== values > 0) break
        changes += 1
        values += carries ? 1 : 0
        bytes += write.value?.byteLength ?? 0
      }
      const full = values > this.#init.maxValues || bytes > this.#init.maxBytes || count >= this.#init.maxWrites
      if (count > 0 && full) break
      count++
    }
    return this.#waiting.splice(0, count)
  }
}
