import type { CallOptions, IpfsPath, ProgressOptions } from './call.ts'

export interface CarImportProgress {
  /** Blocks that are verified and stored, those already held included. */
  blocks: number
  /** Their bytes. */
  bytes: number
}

export interface CarImportOptions extends ProgressOptions<CarImportProgress> {
  /** Name in the library and in links. Default: the File's name without its ending, or the CID. */
  name?: string
}

export interface CarImportResult extends CarImportProgress {
  /** What the CAR says that it holds. Pinned, unless incomplete. */
  roots: string[]
  /** Roots of which blocks are missing, in the CAR and in the store: not pinned; what is there of them stays until space is needed. */
  incomplete: string[]
  /** Blocks of the CAR that no root leads to: not kept. */
  dropped: number
}

export interface CarApi {
  /**
   * Stores the blocks of a CAR (version 1, or the one inside a version 2), each checked against its hash, and pins its
   * roots. Resolves after the commit. When it fails, nothing of the CAR stays stored. Rejects with ERR_INVALID_CAR,
   * ERR_BLOCK_HASH_MISMATCH, ERR_BLOCK_TOO_LARGE, ERR_UNSUPPORTED_CODEC (blocks that are neither UnixFS nor raw),
   * ERR_INVALID_BLOCK, ERR_INVALID_NAME, ERR_SOURCE_UNREADABLE, ERR_ABORTED, storage codes.
   */
  import(source: Blob | ReadableStream<Uint8Array> | Uint8Array, options?: CarImportOptions): Promise<CarImportResult>
  /**
   * A DAG as a CAR version 1: depth first, each block once, as trustless gateways give it. Read as it is taken; missing
   * blocks are fetched. The stream fails with ERR_NOT_FOUND when nobody has one.
   */
  export(path: IpfsPath, options?: CallOptions): ReadableStream<Uint8Array>
}
