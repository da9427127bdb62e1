import type { CID } from 'multiformats/cid'
import { PocketError, isPocketError, toPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockTable } from '../ports.ts'
import type { BlockLocation } from './block-index.ts'
import { FileReads } from './file-reads.ts'
import type { IndexLog } from './index-log.ts'
import { keyOf, multihashOf } from './keys.ts'
import type { PendingWrite } from './write-queue.ts'

export interface FilePart {
  cid: CID
  /** Where the block begins in the file, in bytes. */
  offset: number
  /** Bytes. */
  length: number
}

/** A File kept whole, whose parts are blocks. While it is open it stays, referred to or not. */
export interface StoredFile {
  /** Survives a restart: `openFile(id)` goes on with an add that was cut off. */
  readonly id: number
  /** The stored copy. Hash slices of this, never of the source, which may change. Keep none of them. */
  readonly blob: Blob
  /** Makes parts of the file blocks; resolves after the commit. Blocks that are there already are left as they are. */
  refer(parts: FilePart[]): Promise<void>
  /** The file goes unless something refers to it. */
  close(): Promise<void>
}

/** What the file store asks of the block store. */
export interface FileStoreInit {
  table: BlockTable
  log: IndexLog
  /** Writes unless the block is there. */
  add(write: PendingWrite & { location: BlockLocation }): Promise<void>
}

interface Handle {
  size: number
  reads: FileReads
}

/** Blob handles kept: each may hold the space of a deleted file until it is let go. */
const MAX_HANDLES = 8
const PROBE = Uint8Array.from({ length: 64 }, (_, at) => at)

export class FileStore {
  readonly #init: FileStoreInit
  readonly #open = new Map<number, number>()
  readonly #handles = new Map<number, Promise<Handle | undefined>>()
  #supported: Promise<boolean> | undefined

  constructor(init: FileStoreInit) {
    this.#init = init
  }

  /** Cached once it is known. */
  async supported(): Promise<boolean> {
    this.#supported ??= this.#probe()
    return this.#supported
  }

  async put(file: Blob): Promise<StoredFile | undefined> {
    if (!(await this.supported())) return undefined
    let id: number
    try {
      id = await this.#init.table.putFile(file)
    } catch (error) {
      await refuseUnreadable(file)
      throw toPocketError(error, 'ERR_STORAGE_LOST')
    }
    const stored = await this.open(id)
    // Firefox and WebKit take a file that was truncated after it was picked for what is left of it.
    if (stored?.blob.size === file.size) return stored
    await stored?.close()
    throw new PocketError('ERR_SOURCE_CHANGED')
  }

  async open(id: number): Promise<StoredFile | undefined> {
    this.#open.set(id, (this.#open.get(id) ?? 0) + 1)
    const blob = await this.#init.table.getFile(id)
    if (blob === undefined) {
      this.#release(id)
      return undefined
    }
    let open = true
    return {
      id,
      blob,
      refer: (parts) => this.#refer(id, blob.size, parts),
      close: async () => {
        if (!open) return
        open = false
        this.#release(id)
        await this.#sweep(async () => [id])
      },
    }
  }

  /**
   * Reads a part of a file; the bytes may share their buffer with other parts. `undefined` if the file cannot give it any
   * more.
   */
  async read({ file, offset, size }: BlockLocation): Promise<Uint8Array | undefined> {
    // Twice: a handle may have gone stale with the connection it came from (WebKit).
    for (let attempt = 0; attempt < 2; attempt++) {
      const handle = await this.#handle(file)
      if (handle === undefined || offset + size > handle.size) return undefined
      try {
        return await handle.reads.read(offset, size)
      } catch {
        this.#handles.delete(file)
      }
    }
    return undefined
  }

  /**
   * What a batch does to files: those that no block is part of any more go with it. As soon as one part goes, the batch
   * holds only for the log that was counted: two stores that delete half each would both see parts left.
   */
  drops(batch: PendingWrite[]): { dropFiles?: number[]; expect?: number } {
    const { index, cursor } = this.#init.log
    const changes = new Map<number, number>()
    const count = (file: number | undefined, by: number) => {
      if (file) changes.set(file, (changes.get(file) ?? 0) + by)
    }
    let fewer = false
    for (const { multihash, location } of new Map(batch.map((write) => [write.key, write])).values()) {
      const before = index.get(multihash)?.file
      fewer ||= Boolean(before) && before !== location?.file
      count(before, -1)
      count(location?.file, 1)
    }
    if (!fewer) return {}
    const isEmpty = (id: number) => (index.files.get(id)?.refs ?? 0) + (changes.get(id) ?? 0) <= 0
    return { dropFiles: [...changes.keys()].filter((id) => isEmpty(id) && !this.#open.has(id)), expect: cursor }
  }

  /** Lets go of handles; of all without `ids`. */
  forget(ids: Iterable<number> = this.#handles.keys()): void {
    for (const id of ids) this.#handles.delete(id)
  }

  /** Deletes files that nothing refers to and that are not open here: what an add left behind that was cut off. */
  async sweepAll(keep: Iterable<number>): Promise<number> {
    const kept = new Set(keep)
    return this.#sweep(async () => (await this.#init.table.fileIds()).filter((id) => !kept.has(id)))
  }

  /** Files of which this store knows no part any more: their handles would keep the space. */
  forgetGone(): void {
    for (const id of this.#handles.keys()) if (!this.#init.log.index.files.has(id)) this.#handles.delete(id)
  }

  async #refer(file: number, fileSize: number, parts: FilePart[]): Promise<void> {
    for (const { offset, length } of parts) {
      if (!(offset >= 0 && length >= 0 && offset + length <= fileSize)) throw new PocketError('ERR_INVALID_ARGUMENT')
      if (length > LIMITS.maxBlockBytes) throw new PocketError('ERR_BLOCK_TOO_LARGE')
    }
    await Promise.all(
      parts.map(({ cid, offset, length }) => {
        const multihash = multihashOf(cid)
        return this.#init.add({ key: keyOf(multihash), multihash, location: { size: length, file, offset } })
      }),
    )
  }

  async #sweep(candidates: () => Promise<number[]>): Promise<number> {
    const { table, log } = this.#init
    let dropped: number[]
    do {
      await log.catchUp()
      const present = await candidates()
      dropped = present.filter((id) => !log.index.files.has(id) && !this.#open.has(id))
      if (dropped.length === 0) return 0
    } while ((await table.write({ blocks: [], dropFiles: dropped, expect: log.cursor }, 'relaxed')) === undefined)
    this.forget(dropped)
    return dropped.length
  }

  #release(id: number): void {
    const holders = (this.#open.get(id) ?? 1) - 1
    if (holders === 0) this.#open.delete(id)
    else this.#open.set(id, holders)
  }

  #handle(id: number): Promise<Handle | undefined> {
    let handle = this.#handles.get(id)
    // Last used, last in the order of the Map.
    this.#handles.delete(id)
    handle ??= this.#init.table.getFile(id).then((blob) => blob && { size: blob.size, reads: new FileReads(blob) })
    this.#handles.set(id, handle)
    handle.catch(() => this.#handles.delete(id))
    for (const oldest of this.#handles.keys()) {
      if (this.#handles.size <= MAX_HANDLES) break
      this.#handles.delete(oldest)
    }
    return handle
  }

  /** Whether this browser keeps Blobs and gives slices of them: some private modes refuse the first or break the second. */
  async #probe(): Promise<boolean> {
    const { table } = this.#init
    let id: number | undefined
    try {
      id = await table.putFile(new Blob([PROBE]))
      const blob = await table.getFile(id)
      const bytes = new Uint8Array((await blob?.slice(16, 48).arrayBuffer()) ?? new ArrayBuffer(0))
      return blob?.size === PROBE.length && bytes.length === 32 && bytes.every((byte, at) => byte === at + 16)
    } catch (error) {
      if (isPocketError(error, 'ERR_QUOTA_EXCEEDED') || isPocketError(error, 'ERR_CLOSED')) {
        this.#supported = undefined
        throw error
      }
      return false
    } finally {
      if (id !== undefined) await table.write({ blocks: [], dropFiles: [id] }, 'relaxed').catch(() => undefined)
    }
  }
}

/** Browsers name a source that is gone in different ways, or not at all: ask it. @throws ERR_SOURCE_UNREADABLE */
async function refuseUnreadable(file: Blob): Promise<void> {
  try {
    await Promise.all([file.slice(0, 1).arrayBuffer(), file.slice(-1).arrayBuffer()])
  } catch (error) {
    throw new PocketError('ERR_SOURCE_UNREADABLE', undefined, { cause: error })
  }
}
