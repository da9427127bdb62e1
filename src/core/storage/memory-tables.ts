import { PocketError, type ErrorCode } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockBatch, BlockTable, LogPage, StateTable } from '../ports.ts'

/**
 * Blocks that live as long as the process: for Node, and for browsers without IndexedDB (`code` says why).
 * @throws ERR_QUOTA_EXCEEDED from writes beyond `maxBytes`, with nothing of the batch stored
 */
export function createMemoryBlockTable(code?: ErrorCode, options: { maxBytes?: number } = {}): BlockTable {
  return new MemoryBlockTable(code, options.maxBytes ?? LIMITS.maxMemoryStoreBytes)
}

export function createMemoryStateTable(): StateTable {
  return new MemoryStateTable()
}

class MemoryBlockTable implements BlockTable {
  readonly kind = 'memory'
  readonly code?: ErrorCode
  readonly #maxBytes: number
  readonly #values = new Map<string, Uint8Array>()
  readonly #files = new Map<number, Blob>()
  readonly #trash = new Map<number, string[]>()
  #pages: LogPage[] = []
  #seq = 0
  #fileId = 0
  #trashId = 0
  #bytes = 0

  constructor(code: ErrorCode | undefined, maxBytes: number) {
    if (code !== undefined) this.code = code
    this.#maxBytes = maxBytes
  }

  async getMany(keys: string[]): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this.#values.get(key)?.slice())
  }

  async write({ blocks, page, dropFiles, trash, trashDone, expect }: BlockBatch): Promise<number | undefined> {
    if (expect !== undefined && expect !== this.#seq) return undefined
    this.#refuseBeyondLimit(blocks.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0))
    for (const { key, value } of blocks) {
      this.#bytes += (value?.byteLength ?? 0) - (this.#values.get(key)?.byteLength ?? 0)
      if (value === undefined) this.#values.delete(key)
      else this.#values.set(key, value.slice())
    }
    for (const id of dropFiles ?? []) {
      this.#bytes -= this.#files.get(id)?.size ?? 0
      this.#files.delete(id)
    }
    for (const keys of trash ?? []) this.#trash.set(++this.#trashId, keys)
    for (const id of this.#trash.keys()) if (id <= (trashDone ?? 0)) this.#trash.delete(id)
    if (page !== undefined) this.#pages.push({ seq: ++this.#seq, bytes: page.slice() })
    return this.#seq
  }

  async *log(after: number): AsyncGenerator<LogPage[]> {
    yield this.#pages.filter(({ seq }) => seq > after)
  }

  async replaceLog(last: number, pages: Uint8Array[]): Promise<number | undefined> {
    if (last !== this.#seq) return undefined
    this.#pages = pages.map((bytes) => ({ seq: ++this.#seq, bytes: bytes.slice() }))
    return this.#seq
  }

  async *keys(): AsyncGenerator<string[]> {
    yield [...this.#values.keys()]
  }

  async putFile(file: Blob): Promise<number> {
    this.#refuseBeyondLimit(file.size)
    // A copy: a File is only a way to what the disk holds, and that may change.
    const copy = new Blob([await file.arrayBuffer()])
    this.#bytes += copy.size
    this.#files.set(++this.#fileId, copy)
    return this.#fileId
  }

  async getFile(id: number): Promise<Blob | undefined> {
    return this.#files.get(id)
  }

  async fileIds(): Promise<number[]> {
    return [...this.#files.keys()]
  }

  async trash(): Promise<{ id: number; keys: string[] } | undefined> {
    for (const [id, keys] of this.#trash) return { id, keys }
    return undefined
  }

  watch(): () => void {
    return () => undefined
  }

  async close(): Promise<void> {
    // What was stored stays for whoever opens a store on this table again, as it would in a database.
  }

  #refuseBeyondLimit(more: number): void {
    if (this.#bytes + more > this.#maxBytes) {
      throw new PocketError('ERR_QUOTA_EXCEEDED', undefined, { detail: { limit: this.#maxBytes } })
    }
  }
}

class MemoryStateTable implements StateTable {
  readonly #values = new Map<string, unknown>()

  async get(key: string): Promise<unknown> {
    return structuredClone(this.#values.get(key))
  }

  async set(key: string, value: unknown): Promise<void> {
    this.#values.set(key, structuredClone(value))
  }

  async delete(key: string): Promise<void> {
    this.#values.delete(key)
  }

  async batch(set: [key: string, value: unknown][], remove: string[]): Promise<void> {
    const copies = structuredClone(set)
    for (const key of remove) this.#values.delete(key)
    for (const [key, value] of copies) this.#values.set(key, value)
  }

  async entries(prefix: string): Promise<[key: string, value: unknown][]> {
    return structuredClone(
      [...this.#values].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)),
    )
  }

  async close(): Promise<void> {
    // As above.
  }
}
