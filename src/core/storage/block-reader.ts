import type { CID } from 'multiformats/cid'
import { isPocketError, PocketError, toPocketError } from '../../shared/errors.ts'
import type { BlockLocation } from './block-index.ts'
import type { FileStore } from './file-store.ts'
import type { IndexLog } from './index-log.ts'
import { keyOf } from './keys.ts'
import type { ReadQueue } from './read-queue.ts'
import { verifyBlock, type GetHasher } from './verify.ts'

export interface BlockReaderInit {
  log: IndexLog
  reads: ReadQueue
  files: FileStore
  getHasher: GetHasher
}

/** What a block was found to be. `unknown`: its hash is one that this node does not compute. */
export type Condition = 'good' | 'damaged' | 'gone' | 'unknown'

/**
 * Reads committed blocks, from values and from parts of files, and compares them with their hash when they are first
 * read after a start: browsers keep large values as files without a checksum of their own, and a file of a person may
 * have changed under the browser. What does not match is never given, and `isDamaged` from then on.
 */
export class BlockReader {
  readonly #init: BlockReaderInit
  readonly #damaged = new Set<string>()

  constructor(init: BlockReaderInit) {
    this.#init = init
  }

  /** Costs nothing while nothing is damaged. */
  isDamaged(multihash: Uint8Array): boolean {
    return this.#damaged.size > 0 && this.#damaged.has(keyOf(multihash))
  }

  /** It was written anew or is gone. */
  forget(key: string): void {
    this.#damaged.delete(key)
  }

  /** @throws ERR_BLOCK_HASH_MISMATCH, ERR_STORAGE_LOST; `undefined` where there is no such block */
  async read(multihash: CID['multihash'], always = false): Promise<Uint8Array | undefined> {
    const { log, getHasher } = this.#init
    const { index } = log
    const { bytes } = multihash
    const location = index.get(bytes)
    const value = await this.#bytes(bytes, location)
    // Another connection has just stored or deleted it.
    if ((value === undefined) === index.has(bytes)) await this.#follow()
    const now = index.get(bytes)
    if (now === undefined) return undefined
    try {
      if (value === undefined) {
        if (now.file !== location?.file) return undefined
        throw new PocketError('ERR_BLOCK_HASH_MISMATCH', 'What held the block is gone')
      }
      if (!always && index.is(bytes, 'checked')) return value
      await verifyBlock(multihash, value, getHasher)
      index.mark(bytes, 'checked')
      this.#damaged.delete(keyOf(bytes))
      return value
    } catch (error) {
      if (isPocketError(error, 'ERR_UNSUPPORTED_CODEC') && value !== undefined) return value
      // Deleted meanwhile, here or elsewhere, is not damaged.
      await this.#follow().catch(() => undefined)
      if (index.get(bytes)?.file !== location?.file) return undefined
      if (isPocketError(error, 'ERR_BLOCK_HASH_MISMATCH')) this.#condemn(bytes)
      throw error
    }
  }

  /** Reads and hashes a block whatever is known of it. @throws ERR_STORAGE_LOST */
  async check(multihash: CID['multihash']): Promise<Condition> {
    try {
      if ((await this.read(multihash, true)) === undefined) return 'gone'
      return this.#init.log.index.is(multihash.bytes, 'checked') ? 'good' : 'unknown'
    } catch (error) {
      if (isPocketError(error, 'ERR_BLOCK_HASH_MISMATCH')) return 'damaged'
      throw error
    }
  }

  async #bytes(multihash: Uint8Array, location: BlockLocation | undefined): Promise<Uint8Array | undefined> {
    const { reads, files } = this.#init
    try {
      return await (location?.file ? files.read(location) : reads.read(keyOf(multihash)))
    } catch (error) {
      throw toPocketError(error, 'ERR_STORAGE_LOST')
    }
  }

  async #follow(): Promise<void> {
    await this.#init.log.catchUp()
    this.#init.files.forgetGone()
  }

  #condemn(multihash: Uint8Array): void {
    this.#init.log.index.mark(multihash, 'checked', false)
    this.#damaged.add(keyOf(multihash))
  }
}
