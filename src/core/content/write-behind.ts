import type { Blockstore } from 'interface-blockstore'
import type { CID } from 'multiformats/cid'
import { LIMITS } from '../../shared/limits.ts'

/**
 * Puts that are not waited for one by one: what builds a tree of nodes waits for each, and a transaction of its own for
 * every shard of a large folder takes seconds where a batch takes milliseconds. `finish` before relying on any of it.
 */
export class WriteBehind {
  readonly #blocks: Pick<Blockstore, 'put'>
  readonly #writes = new Set<Promise<void>>()
  #bytes = 0
  #failure: { error: unknown } | undefined

  constructor(blocks: Pick<Blockstore, 'put'>) {
    this.#blocks = blocks
  }

  /** Waits only while too many are on their way. @throws what an earlier one failed with */
  async put(cid: CID, bytes: Uint8Array): Promise<CID> {
    while (this.#writes.size >= LIMITS.writeWindow || this.#bytes > LIMITS.writeBatchBytes) {
      await Promise.race(this.#writes)
    }
    if (this.#failure !== undefined) throw this.#failure.error
    this.#bytes += bytes.byteLength
    const write = Promise.resolve(this.#blocks.put(cid, bytes))
      .then(() => undefined)
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => {
        this.#bytes -= bytes.byteLength
        this.#writes.delete(write)
      })
    this.#writes.add(write)
    return cid
  }

  /** Resolves when all are committed. @throws what one of them failed with */
  async finish(): Promise<void> {
    await this.settle()
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Resolves when none is on its way. Never rejects. */
  async settle(): Promise<void> {
    await Promise.all(this.#writes)
  }
}
