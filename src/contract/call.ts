/** What the calls of the client API have in common. */

export interface CallOptions {
  signal?: AbortSignal
}

export interface ProgressOptions<P> extends CallOptions {
  onProgress?: (progress: P) => void
}

/** `cid`, `/ipfs/cid`, `/ipfs/cid/path/to` or `ipfs://cid/path/to`. */
export type IpfsPath = string

export interface WatchHandle {
  stop(): void
}
