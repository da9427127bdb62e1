import type { BatteryReport, ConnectionReport } from '../contract/page-report.ts'
import type { ErrorCode } from '../shared/errors.ts'

/**
 * What a host supplies to the core, which itself touches no browser global. `src/platform` implements these for
 * browsers, tests implement them for Node.
 */

export type Durability =
  /** Resolves when the transaction has committed; the system may still hold it in its cache. */
  | 'relaxed'
  /** Resolves when it is flushed to the disk. */
  | 'strict'

export interface BlockWrite {
  key: string
  /** An exact-length copy; absent deletes the key. */
  value?: Uint8Array
}

/** What one transaction does. */
export interface BlockBatch {
  /** In order: a later one on the same key wins. Deleting a missing key is no error. */
  blocks: BlockWrite[]
  /** One page appended to the log. */
  page?: Uint8Array
  /** Files to delete. */
  dropFiles?: number[]
  /** Keys whose values are to be deleted later, a note for each handful: noting thousands costs next to nothing. */
  trash?: string[][]
  /** This note and all older ones are done with. */
  trashDone?: number
  /** The batch is refused (resolves to `undefined`) when the log's last page is another one. */
  expect?: number
}

export interface LogPage {
  /** Ascending, without gaps as long as one connection writes. */
  seq: number
  bytes: Uint8Array
}

/**
 * Block bytes by key, whole files, and a log that tells what is there without reading them; in transactions. Keys are
 * multihashes as lower-case base32 strings (one block for all CIDs of it). What a log page says is the core's business.
 */
export interface BlockTable {
  /** What the values are kept in; `memory` ends with the process. */
  readonly kind: 'persistent' | 'memory'
  /** Why `kind` is `memory` where it should not be. */
  readonly code?: ErrorCode
  /** One value a key, `undefined` where there is none. One transaction. */
  getMany(keys: string[]): Promise<(Uint8Array | undefined)[]>
  /** One transaction; resolves after the commit with the sequence number of its page (of the last one if it has none), all or nothing. */
  write(batch: BlockBatch, durability: Durability): Promise<number | undefined>
  /** Pages after `after` in order, in handfuls. */
  log(after: number): AsyncIterable<LogPage[]>
  /** Puts `pages` in the place of all pages, if `last` is still the last one: resolves to the new last one, else to `undefined`. */
  replaceLog(last: number, pages: Uint8Array[]): Promise<number | undefined>
  /** Every key that has a value, in handfuls, without reading values. */
  keys(): AsyncIterable<string[]>
  /** Stores a whole File or Blob (never a slice of one) and gives its id. Resolves after a strict commit. */
  putFile(file: Blob): Promise<number>
  getFile(id: number): Promise<Blob | undefined>
  fileIds(): Promise<number[]>
  /** The oldest notes together, as many as hold about `keys` keys and one at least; `id` is the last one's. */
  trash(keys: number): Promise<{ id: number; keys: string[] } | undefined>
  /** Calls back when another connection has written; returns what stops it. */
  watch(listener: () => void): () => void
  close(): Promise<void>
}

/** Small state: identity, pins, settings. Values are structured clones. */
export interface StateTable {
  get(key: string): Promise<unknown>
  /** Strict, like `delete`. */
  set(key: string, value: unknown): Promise<void>
  delete(key: string): Promise<void>
  /** One transaction, all or nothing. */
  batch(set: [key: string, value: unknown][], remove: string[], durability: Durability): Promise<void>
  /** Keys beginning with `prefix`, with their values. */
  entries(prefix: string): Promise<[key: string, value: unknown][]>
  close(): Promise<void>
}

export interface NetworkInfo {
  online(): boolean
  /** Calls back on every change; returns what stops it. */
  watch(listener: (online: boolean) => void): () => void
}

/** The phone as its pages and the worker tell of it; what is not known is absent. */
export interface PhoneState {
  /** Of the page that is nearest to the person: `visible` if one is, `frozen` if all are. */
  visibility: 'visible' | 'hidden' | 'frozen'
  connection?: ConnectionReport
  battery?: BatteryReport
  /** WebTransport of this engine stalls at 16 MiB (WebKit bug 319818). */
  webkit?: boolean
}

export interface PhoneInfo {
  state(): PhoneState
  /** Calls back on every change; returns what stops it. */
  watch(listener: () => void): () => void
}

/** WebRTC as the node sees it: it runs elsewhere, in a page that lends it. */
export interface WebRtcInfo {
  state(): 'available' | 'no-page' | 'unsupported'
  watch(listener: () => void): () => void
}

export interface FetchRequest {
  headers: Record<string, string>
  signal: AbortSignal
}

export interface FetchResponse {
  status: number
  headers: { get(name: string): string | null }
  /** Cancelling it ends the request. */
  body: ReadableStream<Uint8Array> | null
}

/**
 * HTTP to the web, for trustless gateways: GET only, no cookies, no cache. A redirect is not followed: its status is
 * 0 or 3xx. Rejects when there is no answer.
 */
export type FetchPort = (url: string, request: FetchRequest) => Promise<FetchResponse>

/** What the browser says of the room of this origin, in bytes; undefined where it does not. */
export type StorageEstimate = () => Promise<{ usage: number; quota: number } | undefined>

export interface HostPorts {
  /** Absent where nothing bounds the storage but itself. */
  estimate?: StorageEstimate
  fetch: FetchPort
  blocks: BlockTable
  state: StateTable
  network: NetworkInfo
  /** Absent where there is no page to be hidden and no battery. */
  phone?: PhoneInfo
  webrtc: WebRtcInfo
}
