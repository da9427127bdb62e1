import type { ErrorCode } from '../shared/errors.ts'
import type { CallOptions, ProgressOptions } from './call.ts'

/** What the store holds. */
export interface RepoStat {
  blocks: number
  /** Bytes of all blocks. */
  bytes: number
  /** Added files that are kept whole; their leaves are parts of them. */
  files: number
  /** Pins. */
  pinned: number
  kind: 'persistent' | 'memory'
  /** Why the blocks are in memory only, if they are. */
  code?: ErrorCode
  /**
   * What the browser says that this origin uses and may use, in bytes; absent where it does not. Chromium gives `usage` and
   * up to 10 GiB for `quota`, whatever the real one is.
   */
  usage?: number
  quota?: number
}

/** What was freed. */
export interface RepoFreed {
  blocks: number
  bytes: number
}

export interface VerifyProgress {
  /** Blocks hashed, of so many. */
  checked: number
  total: number
  damaged: number
}

export interface VerifyOptions extends ProgressOptions<VerifyProgress> {
  /** Asks connected peers for what is damaged or missing. */
  repair?: boolean
}

/** What was found; the lists name the first thousand, `repaired` ones included. */
export interface RepoReport {
  /** Blocks hashed. */
  checked: number
  /** Blocks whose bytes do not match their hash, as raw CIDs: the store keeps no codecs. */
  damaged: string[]
  damagedCount: number
  /** Blocks below a pin that are not there. What is below one of these is not known. */
  missing: string[]
  missingCount: number
  /** Of both, those that came from a peer. */
  repaired: number
}

export interface RepoApi {
  /** At once: nothing is counted. */
  stat(options?: CallOptions): Promise<RepoStat>
  /**
   * Frees what no pin and nothing under way needs. Does not wait for transfers. Rejects with ERR_PIN_DAMAGED while nodes
   * of a pin are damaged or missing, since what they need is not known.
   */
  gc(options?: ProgressOptions<RepoFreed>): Promise<RepoFreed>
  /** Hashes every block and looks for every block of every pin. Damaged blocks are not served from then on. */
  verify(options?: VerifyOptions): Promise<RepoReport>
}
