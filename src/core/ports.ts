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

/** Block bytes by key, in transactions. Keys are multihashes as lower-case base32 strings (one block for all CIDs of it). */
export interface BlockTable {
  /** What the values are kept in; `memory` ends with the process. */
  readonly kind: 'persistent' | 'memory'
  /** Why `kind` is `memory` where it should not be. */
  readonly code?: ErrorCode
  /** One value a key, `undefined` where there is none. One transaction. */
  getMany(keys: string[]): Promise<(Uint8Array | undefined)[]>
  /** One transaction; resolves after the commit, all or nothing. Values are exact-length copies by then. */
  putMany(entries: { key: string; value: Uint8Array }[], durability: Durability): Promise<void>
  /** One transaction. Missing keys are no error. */
  deleteMany(keys: string[], durability: Durability): Promise<void>
  /** Every key with the length of its value in bytes, in pages, without reading values. */
  entries(): AsyncIterable<{ key: string; size: number }[]>
  close(): Promise<void>
}

/** Small state: identity, pins, settings. Values are structured clones. */
export interface StateTable {
  get(key: string): Promise<unknown>
  set(key: string, value: unknown): Promise<void>
  delete(key: string): Promise<void>
  /** Keys beginning with `prefix`, with their values. */
  entries(prefix: string): Promise<[key: string, value: unknown][]>
  close(): Promise<void>
}

export interface NetworkInfo {
  online(): boolean
  /** Calls back on every change; returns what stops it. */
  watch(listener: (online: boolean) => void): () => void
}

/** WebRTC as the node sees it: it runs elsewhere, in a page that lends it. */
export interface WebRtcInfo {
  state(): 'available' | 'no-page' | 'unsupported'
  watch(listener: () => void): () => void
}

export interface HostPorts {
  blocks: BlockTable
  state: StateTable
  network: NetworkInfo
  webrtc: WebRtcInfo
}
