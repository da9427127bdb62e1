import { LIMITS } from '../../shared/limits.ts'
import type { BlockTable } from '../ports.ts'
import type { IndexLog } from './index-log.ts'
import { multihashOfKey } from './keys.ts'
import type { PendingWrite, WriteQueue } from './write-queue.ts'

/**
 * Deletes values behind the deletions: a block is gone when the log says so, its value some time later. One request for
 * each key is what IndexedDB takes its time for; a note of many keys is one request. Notes survive a restart.
 */
export class Purger {
  readonly #table: BlockTable
  readonly #log: IndexLog
  readonly #queue: WriteQueue
  #timer: ReturnType<typeof setTimeout> | undefined
  #running: Promise<void> | undefined
  #stopped = false

  constructor(table: BlockTable, log: IndexLog, queue: WriteQueue) {
    this.#table = table
    this.#log = log
    this.#queue = queue
  }

  /** Notes for what a batch without values takes the place of. */
  notes(batch: PendingWrite[]): { trash?: string[][] } {
    const keys = new Set<string>()
    for (const { key, multihash, value } of batch) {
      if (value === undefined && this.#log.index.get(multihash)?.file === 0) keys.add(key)
    }
    if (keys.size === 0) return {}
    const all = [...keys]
    const trash = []
    for (let at = 0; at < all.length; at += LIMITS.purgeBlocks) trash.push(all.slice(at, at + LIMITS.purgeBlocks))
    return { trash }
  }

  /** Begins in a while, when what deletes may have come to its end. If it fails, the next call tries again. */
  schedule(): void {
    if (this.#stopped) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#running = (this.#running ?? Promise.resolve()).then(() => this.#loop()).catch(() => undefined)
    }, LIMITS.purgeDelayMs)
  }

  /** Works off all notes at once, for a commit of the queue that found no room. Resolves to whether there were any. */
  async drain(): Promise<boolean> {
    let any = false
    for (let note = await this.#next(); note !== undefined; note = await this.#next()) {
      await this.#purge(note)
      any = true
    }
    return any
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  async #loop(): Promise<void> {
    let more = true
    while (more && !this.#stopped) {
      await this.#queue.alone(async () => {
        const note = await this.#next()
        more = note !== undefined
        if (note !== undefined) await this.#purge(note)
      })
    }
  }

  #next(): Promise<{ id: number; keys: string[] } | undefined> {
    return this.#table.trash(LIMITS.purgeBlocks)
  }

  async #purge({ id, keys }: { id: number; keys: string[] }): Promise<void> {
    await this.#log.catchUp()
    // What was stored again in the meantime stays.
    const gone = keys.filter((key) => this.#log.index.get(multihashOfKey(key))?.file !== 0)
    const blocks = gone.map((key) => ({ key }))
    // Refused if another connection has just written: the note is still there for the next round.
    await this.#table.write({ blocks, trashDone: id, expect: this.#log.cursor }, 'relaxed')
  }
}
