import type { AddEntry, AddSource } from '../../contract/node-api.ts'
import { PocketError, toPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { pipeline, type PocketBlockstore, type StoredFile } from '../storage/index.ts'
import { checkEntries, commonRoot } from './entries.ts'
import { Packer } from './packer.ts'
import { isFile, leavesOf, readWhole } from './sources.ts'
import { StagedAddBuilder, type StagedAdd } from './staged.ts'

export interface StageInit {
  files: Pick<PocketBlockstore, 'keepsFiles' | 'putFile'>
  signal: AbortSignal
  /** Bytes in the store so far. */
  onProgress?: (bytes: number) => void
}

export interface Staged {
  record: StagedAdd
  /** Lets go of the stored files: those go that no block is part of by now. */
  close(): Promise<void>
}

/** Small sources read at once: a read of a picked File takes about a millisecond, most of it waiting. */
const READS = 16
/** Compared of both ends of a File and of its copy. */
const EDGE_BYTES = 4096

/**
 * Takes the bytes of a source into the store, where `addStaged` makes blocks of them; the source is not needed any more
 * then. `undefined`, before anything is read, where the browser keeps no Blobs. When it fails nothing stays stored.
 * @throws PocketError ERR_INVALID_NAME, ERR_INVALID_ARGUMENT, ERR_LIMIT_EXCEEDED, ERR_SOURCE_UNREADABLE,
 * ERR_SOURCE_CHANGED, ERR_ABORTED, storage codes
 */
export async function stageContent(
  source: AddSource,
  { files, signal, onProgress }: StageInit,
): Promise<Staged | undefined> {
  const entries = Array.isArray(source) ? source : [{ path: '', content: source }]
  const name = Array.isArray(source) ? commonRoot(await checkEntries(source)) : isFile(source) ? source.name : undefined
  if (!(await files.keepsFiles())) return undefined
  const builder = new StagedAddBuilder()
  const stored: StoredFile[] = []
  let bytes = 0
  const packer = new Packer(files, builder, (file) => void stored.push(file))
  const close = async (): Promise<void> => void (await Promise.all(stored.map((file) => file.close())))
  const count = (more: number): void => {
    bytes += more
    onProgress?.(bytes)
  }

  async function stage({ path, content }: AddEntry, whole: Uint8Array | undefined): Promise<void> {
    signal.throwIfAborted()
    const entry = builder.entry(path)
    if (isFile(content) && whole === undefined) {
      const file = await files.putFile(content)
      if (file === undefined) throw new PocketError('ERR_STORAGE_LOST', 'The storage keeps no Blobs any more')
      stored.push(file)
      await refuseChanged(content, file.blob)
      builder.piece(entry, file.id, 0, content.size)
      count(content.size)
      return
    }
    for await (const leaf of leavesOf(whole ?? content, signal)) {
      signal.throwIfAborted()
      await packer.add(entry, leaf)
      count(leaf.byteLength)
    }
  }

  try {
    const reads = pipeline(entries, READS, async (entry) => ({ entry, whole: await readSmall(entry.content, signal) }))
    for await (const { entry, whole } of reads) await stage(entry, whole)
    await packer.finish()
    signal.throwIfAborted()
    return { record: builder.build(Array.isArray(source) ? 'directory' : 'file', name), close }
  } catch (error) {
    await packer.stop()
    await close()
    if (signal.aborted) throw new PocketError('ERR_ABORTED', undefined, { cause: signal.reason })
    throw toPocketError(error)
  }
}

/**
 * A source that is written to while it is stored makes a copy that is neither the old nor the new one. Chromium refuses to
 * read a File that has changed; elsewhere its edges tell of the most common changes, another size and another file.
 */
async function refuseChanged(source: Blob, copy: Blob): Promise<void> {
  const edges = async (blob: Blob): Promise<Uint8Array> =>
    new Uint8Array(await new Blob([blob.slice(0, EDGE_BYTES), blob.slice(-EDGE_BYTES)]).arrayBuffer())
  let same: boolean
  try {
    const [before, after] = await Promise.all([edges(source), edges(copy)])
    same = before.byteLength === after.byteLength && before.every((byte, at) => byte === after[at])
  } catch (cause) {
    throw new PocketError('ERR_SOURCE_CHANGED', undefined, { cause })
  }
  if (!same) throw new PocketError('ERR_SOURCE_CHANGED')
}

/** One leaf is kept in a pack, whatever it is a leaf of. */
async function readSmall(content: AddEntry['content'], signal: AbortSignal): Promise<Uint8Array | undefined> {
  if (!(content instanceof Blob) || content.size > LIMITS.chunkBytes) return undefined
  signal.throwIfAborted()
  return readWhole(content)
}
