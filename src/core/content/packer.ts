import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { PocketBlockstore, StoredFile } from '../storage/index.ts'
import type { StagedAddBuilder } from './staged.ts'

/** Packs on their way to the disk while the next is filled. */
const PUTS = 2

/**
 * Stores leaves of many small files, and of what cannot be kept as the File it is, together: one record a pack costs one
 * put, where one a leaf costs several times the bytes' own time.
 */
export class Packer {
  readonly #store: Pick<PocketBlockstore, 'putFile'>
  readonly #builder: StagedAddBuilder
  readonly #onStored: (file: StoredFile) => void
  #bytes = 0
  #leaves: { entry: number; bytes: Uint8Array }[] = []
  readonly #puts = new Set<Promise<void>>()
  #failure: { error: unknown } | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(
    store: Pick<PocketBlockstore, 'putFile'>,
    builder: StagedAddBuilder,
    onStored: (file: StoredFile) => void,
  ) {
    this.#store = store
    this.#builder = builder
    this.#onStored = onStored
  }

  /** One leaf; the bytes are not to change until `finish`. Waits while too many packs are on their way. */
  async add(entry: number, bytes: Uint8Array): Promise<void> {
    if (this.#bytes + bytes.byteLength > LIMITS.packBytes) await this.#put()
    this.#leaves.push({ entry, bytes })
    this.#bytes += bytes.byteLength
  }

  /** Resolves when all of it is stored. */
  async finish(): Promise<void> {
    if (this.#leaves.length > 0) await this.#put()
    await Promise.all(this.#puts)
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Begins nothing more; resolves when nothing is on its way. */
  async stop(): Promise<void> {
    this.#leaves = []
    await Promise.all(this.#puts)
  }

  async #put(): Promise<void> {
    const leaves = this.#leaves
    this.#leaves = []
    this.#bytes = 0
    const before = this.#last
    const put = this.#store
      // A Blob of bytes, never of Files or slices: those some browsers keep by reference (ADR 3).
      .putFile(new Blob(leaves.map(({ bytes }) => bytes as Uint8Array<ArrayBuffer>)))
      .then(async (stored) => {
        if (stored === undefined) throw new PocketError('ERR_STORAGE_LOST', 'The storage keeps no Blobs any more')
        this.#onStored(stored)
        let offset = 0
        // A file that spans packs has its pieces in order, whichever put was quicker.
        await before
        for (const { entry, bytes } of leaves) {
          this.#builder.piece(entry, stored.id, offset, bytes.byteLength)
          offset += bytes.byteLength
        }
      })
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => this.#puts.delete(put))
    this.#last = put
    this.#puts.add(put)
    if (this.#puts.size >= PUTS) await Promise.race(this.#puts)
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
