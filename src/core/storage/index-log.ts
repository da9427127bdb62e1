import type { BlockTable } from '../ports.ts'
import { BlockIndex } from './block-index.ts'
import { applyEntries, applyPage, snapshotPages, type LogEntry } from './log-page.ts'

/** Small pages that may pile up before they are merged, and one more for so many blocks: start stays quick, merging rare. */
const LOOSE_PAGES = 256
const BLOCKS_A_LOOSE_PAGE = 256

/**
 * The index and the log that it comes from. Every connection to the table keeps one; the log's order is the order of the
 * transactions, so following it makes all of them equal, whoever wrote.
 */
export class IndexLog {
  readonly index = new BlockIndex()
  readonly #table: BlockTable
  /** Sequence number of the last page that the index knows. */
  #cursor = 0
  #loosePages = 0
  #catchingUp: Promise<void> | undefined

  constructor(table: BlockTable) {
    this.#table = table
  }

  get cursor(): number {
    return this.#cursor
  }

  /** Takes over what a transaction of ours has written as page `seq`. */
  async committed(seq: number, entries: LogEntry[]): Promise<void> {
    while (seq > this.#cursor + 1) await this.catchUp()
    if (seq <= this.#cursor) return
    applyEntries(this.index, entries)
    this.#cursor = seq
    this.#loosePages++
  }

  /** Reads what others have written. */
  catchUp(): Promise<void> {
    this.#catchingUp ??= this.#read().finally(() => (this.#catchingUp = undefined))
    return this.#catchingUp
  }

  /** Merges the pages when there are many. Not needed for anything but speed: another connection may be quicker. */
  async compact(): Promise<void> {
    if (this.#loosePages < LOOSE_PAGES + this.index.blocks / BLOCKS_A_LOOSE_PAGE) return
    const cursor = this.#cursor
    const pages: Uint8Array[] = []
    for (const page of snapshotPages(this.index)) {
      pages.push(page)
      // Hundreds of milliseconds for a large store in all: the worker has heartbeats to answer meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 0))
      // Another connection has written, and the index has followed: these pages are a mixture. The next commit tries again.
      if (this.#cursor !== cursor) return
    }
    const last = await this.#table.replaceLog(cursor, pages)
    this.#loosePages = 0
    if (last !== undefined) this.#cursor = Math.max(this.#cursor, last)
  }

  async #read(): Promise<void> {
    for await (const pages of this.#table.log(this.#cursor)) {
      for (const { seq, bytes } of pages) {
        if (seq <= this.#cursor) continue
        applyPage(this.index, bytes)
        this.#cursor = seq
        this.#loosePages++
      }
    }
  }
}
