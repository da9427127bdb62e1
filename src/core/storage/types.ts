import type { Blockstore, InputPair } from 'interface-blockstore'
import type { CID } from 'multiformats/cid'
import type { ErrorCode } from '../../shared/errors.ts'
import type { BlockTable, Durability } from '../ports.ts'
import type { StoredFile } from './file-store.ts'
import type { BlockUses } from './uses.ts'
import type { GetHasher } from './verify.ts'

export interface StoreOptions {
  signal?: AbortSignal
}

export interface PutOptions extends StoreOptions {
  /** Checks the bytes against the hash first: for blocks that nobody else has checked. */
  verify?: boolean
}

export interface BlockstoreStat {
  blocks: number
  bytes: number
  /** Files kept whole. */
  files: number
  kind: BlockTable['kind']
  /** Why the blocks are in memory only, if they are. */
  code?: ErrorCode
}

/**
 * Helia's Blockstore, with what the node needs beyond it. Blocks are kept by multihash: one for all CIDs of it.
 * `put` resolves after the commit; until then `has` waits for it and `get` gives the bytes. Blocks are compared with
 * their hash when first read after a start: a damaged one throws ERR_BLOCK_HASH_MISMATCH, `has` denies it from then on,
 * and a `put` of it repairs it.
 * Errors: `get` of a missing block throws interface-store's NotFoundError as the interface asks; everything else is a
 * PocketError: ERR_BLOCK_TOO_LARGE, ERR_BLOCK_HASH_MISMATCH (put with `verify`), ERR_QUOTA_EXCEEDED, ERR_STORAGE_LOST,
 * ERR_STORAGE_VERSION, ERR_CLOSED. An aborted signal throws its own reason.
 */
export interface PocketBlockstore extends Blockstore<object, PutOptions, PutOptions> {
  put(cid: CID, block: InputPair['bytes'], options?: PutOptions): Promise<CID>
  get(cid: CID, options?: StoreOptions): AsyncGenerator<Uint8Array>
  delete(cid: CID, options?: StoreOptions): Promise<void>
  /**
   * Stores a whole File, or a `new Blob([bytes])`, whose parts are to become blocks; `undefined` where the browser cannot.
   * Never a slice: WebKit, and Firefox for a slice of a stored one, store the whole file for it and later give wrong bytes.
   * @throws ERR_SOURCE_UNREADABLE, ERR_SOURCE_CHANGED, ERR_QUOTA_EXCEEDED, ERR_STORAGE_LOST
   */
  putFile(file: Blob): Promise<StoredFile | undefined>
  /** Whether `putFile` works here; tried once. */
  keepsFiles(): Promise<boolean>
  openFile(id: number): Promise<StoredFile | undefined>
  /**
   * Deletes the files that no block is part of and that are neither open in this store nor to be kept; resolves to their
   * number. For the one host that owns the node: it does not see files that another host is adding.
   */
  sweepFiles(keep?: Iterable<number>): Promise<number>
  /** Bytes of a block that is committed; costs nothing. */
  sizeOf(cid: CID): number | undefined
  /** For those who free blocks and look after them. */
  readonly uses: BlockUses
  /** Running totals; costs nothing. */
  stat(): BlockstoreStat
  /** Resolves when all puts and deletes so far are committed; `strict`: are on the disk. */
  flush(durability?: Durability): Promise<void>
  close(): Promise<void>
}

export interface BlockstoreInit {
  /** For `verify`. SHA2-256 only by default. */
  getHasher?: GetHasher
  /** Called when a write of so many bytes found no room; resolves to whether to try once more. */
  makeRoom?: (bytes: number) => Promise<boolean>
  /** Called after every commit with the bytes that it wrote. */
  onWritten?: (bytes: number) => void
}
