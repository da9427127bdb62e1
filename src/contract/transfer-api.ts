import type { WireError } from '../shared/errors.ts'
import type { CallOptions, IpfsPath, WatchHandle } from './call.ts'

/**
 * - `queued`: waits for its turn
 * - `running`
 * - `waiting`: it was tried, `error` says why it did not come to its end, and is tried again by itself
 * - `paused`: by a person, until `resume`
 * - `complete`, `failed` (`error` says why), `cancelled`: over
 */
export type TransferState = 'queued' | 'running' | 'waiting' | 'paused' | 'complete' | 'failed' | 'cancelled'

export interface TransferSource {
  /** `peer`: over libp2p; `gateway`: a trustless gateway over HTTPS. */
  kind: 'peer' | 'gateway'
  /** The peer id; the gateway's URL; `bitswap` for all peers that are asked together. */
  id: string
  /** Bytes of verified blocks that it brought and that were missing (for a `send`: that went to it), since the transfer began. */
  bytes: number
}

/** A job of the node. A `send` is what a peer takes from here now. */
export interface Transfer {
  id: string
  kind: 'fetch' | 'import' | 'send'
  /** What was asked for, or what came of an import; unknown for a path and an import that is not that far. */
  cid?: string
  name: string
  state: TransferState
  /**
   * It survives the end of the node, and can be paused. False for what ends with whoever asked for it: a `pin.add`, an
   * `add` whose source is still being read, a `send`.
   */
  durable: boolean
  /** Bytes: stored (`fetch`), hashed (`import`), sent (`send`). What was held already counts. */
  done: number
  /** Bytes in all, as far as they are known. */
  total?: number
  /** Bytes a second over the last seconds. */
  rate: number
  /** In ms at this rate; absent while that cannot be told. */
  timeLeft?: number
  /** The higher goes first; 0 by default. */
  priority: number
  sources: TransferSource[]
  /** Tries since the last progress. */
  attempts: number
  /** Of a `waiting` one; sooner when the network comes back or a peer connects. */
  nextAttemptAt?: number
  /** Why the last try failed: until it is tried by a person, or something comes. */
  error?: WireError
  createdAt: number
  updatedAt: number
}

export interface TransferRequest {
  /** What to fetch and keep: a CID, or a path below one. */
  cid: IpfsPath
  /** Where it may be had: multiaddrs and URLs of trustless gateways. */
  from?: string[]
  /** In the library; default: the name it is known by. */
  name?: string
  priority?: number
}

/**
 * Jobs that go on by themselves: after a lost connection, in the next node when this one ends, fetching only what is
 * missing. Calls reject with ERR_NO_TRANSFER for an id that is not known (any more).
 */
export interface TransfersApi {
  /**
   * Fetches and keeps a DAG like `pin.add`, but resolves at once and goes on without its caller. One that is not over for
   * the same path is given back: with the hints of both, and tried at once if it waited (a paused one stays paused).
   */
  start(request: TransferRequest, options?: CallOptions): Promise<Transfer>
  /** Those that are not over, and the last of those that are. */
  list(options?: CallOptions): Promise<Transfer[]>
  get(id: string, options?: CallOptions): Promise<Transfer>
  /** What is stored stays. Nothing happens to one that is over, nor to a `send`. */
  pause(id: string, options?: CallOptions): Promise<Transfer>
  /** Goes on with a paused one. */
  resume(id: string, options?: CallOptions): Promise<Transfer>
  /** Gives it up, a failed one too. What nothing else keeps becomes garbage. */
  cancel(id: string, options?: CallOptions): Promise<Transfer>
  /** Tries one that waits, failed or was cancelled at once. */
  retry(id: string, options?: CallOptions): Promise<Transfer>
  /** Calls `listener` with each transfer as it is, then with each change (at most ten a second of one transfer). */
  watch(listener: (transfer: Transfer) => void): WatchHandle
}
