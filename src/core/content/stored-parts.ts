import type { CID } from 'multiformats/cid'
import { PocketError } from '../../shared/errors.ts'
import type { PocketBlockstore, StoredFile } from '../storage/index.ts'
import type { HashedLeaf } from './hash-staged.ts'

/** Leaves that become blocks in one transaction: few of those, and a batch of the store is never full of them. */
const GATHER = 256

/** The stored files of an add, open while it goes on, and the leaves in them that become blocks. */
export class StoredParts {
  readonly #files: Pick<PocketBlockstore, 'openFile' | 'has'>
  readonly #onLeaf: (cid: CID) => void
  readonly #open = new Map<number, Promise<StoredFile>>()
  #gathered: HashedLeaf[] = []
  readonly #writes = new Set<Promise<void>>()
  #failure: { error: unknown } | undefined

  constructor(files: Pick<PocketBlockstore, 'openFile' | 'has'>, onLeaf: (cid: CID) => void = () => undefined) {
    this.#files = files
    this.#onLeaf = onLeaf
  }

  /** @throws ERR_SOURCE_UNREADABLE when it is gone */
  async blob(id: number): Promise<Blob> {
    return (await this.#file(id)).blob
  }

  /** Leaves of one file. They are written soon, beside whatever comes next. */
  async refer(leaves: HashedLeaf[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#gathered[0]?.file !== leaves[0]?.file) await this.#write()
    this.#gathered.push(...leaves)
    if (this.#gathered.length >= GATHER) await this.#write()
  }

  /** Resolves when all of them are committed. */
  async finish(): Promise<void> {
    await this.#write()
    await Promise.all(this.#writes)
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Begins nothing more; resolves when nothing is on its way. */
  async stop(): Promise<void> {
    this.#gathered = []
    await Promise.all(this.#writes)
  }

  async close(): Promise<void> {
    const opened = Array.from(this.#open.values(), async (file) => (await file.catch(() => undefined))?.close())
    await Promise.all(opened)
  }

  #file(id: number): Promise<StoredFile> {
    let file = this.#open.get(id)
    if (file === undefined) {
      file = this.#files.openFile(id).then((opened) => {
        if (opened !== undefined) return opened
        throw new PocketError('ERR_SOURCE_UNREADABLE', 'The stored copy of the file is gone')
      })
      this.#open.set(id, file)
    }
    return file
  }

  async #write(): Promise<void> {
    const leaves = this.#gathered
    this.#gathered = []
    const [first] = leaves
    if (first === undefined) return
    const file = await this.#file(first.file)
    const fresh: CID[] = []
    for (const { cid } of leaves) if (!(await this.#files.has(cid))) fresh.push(cid)
    const write = file
      .refer(leaves)
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => {
        for (const cid of fresh) this.#onLeaf(cid)
        this.#writes.delete(write)
      })
    this.#writes.add(write)
  }
}
