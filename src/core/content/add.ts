import type { Blockstore } from 'interface-blockstore'
import type { CID } from 'multiformats/cid'
import type { AddProgress, AddSource } from '../../contract/node-api.ts'
import { PocketError, toPocketError } from '../../shared/errors.ts'
import { pipeline, type PocketBlockstore } from '../storage/index.ts'
import { checkEntries, commonRoot } from './entries.ts'
import { FileDagBuilder, leafDag, rawCidOf, type FileDag } from './file-dag.ts'
import { buildFolder, type FolderEntry } from './folder-dag.ts'
import { hashStaged, type HashedLeaf } from './hash-staged.ts'
import { isFile, leavesOf } from './sources.ts'
import type { StagedAdd } from './staged.ts'
import { StoredParts } from './stored-parts.ts'
import { WriteBehind } from './write-behind.ts'

export interface AddInit {
  /** Where nodes go, and leaves of what is not staged. */
  blocks: Pick<Blockstore, 'put'>
  signal: AbortSignal
  onProgress: (progress: AddProgress) => void
}

export interface AddStagedInit extends AddInit {
  /** Where the staged bytes are. */
  files: Pick<PocketBlockstore, 'openFile' | 'has'>
  /** A leaf that was not in the store has become a part of a stored file. */
  onLeaf?: (cid: CID) => void
}

export interface Added {
  cid: CID
  size: number
  files: number
  type: 'file' | 'directory'
  /** The folder's own name, where all entries have one in common; the File's name. */
  name?: string
}

/** Files read and hashed at once where nothing can be staged: their blocks fill a batch together. */
const DIRECT = 8

/**
 * Makes UnixFS blocks of what `stageContent` has stored, also in another process than the one that did: what was hashed
 * before is hashed again, nothing else. The caller commits and pins.
 * @throws PocketError ERR_SOURCE_UNREADABLE when the stored bytes are gone, ERR_ABORTED, storage codes
 */
export async function addStaged(record: StagedAdd, init: AddStagedInit): Promise<Added> {
  const { files, signal, onProgress, onLeaf } = init
  const blocks = new WriteBehind(init.blocks)
  const parts = new StoredParts(files, onLeaf)
  const progress: AddProgress = { bytes: 0, total: record.size, files: 0 }
  const dags = record.paths.map((): FileDag | undefined => undefined)
  let building: { entry: number; builder: FileDagBuilder } | undefined

  async function finishFile(): Promise<void> {
    if (building === undefined) return
    dags[building.entry] = await building.builder.finish()
    building = undefined
    progress.files++
  }
  async function take(leaf: HashedLeaf): Promise<void> {
    if (building?.entry !== leaf.entry) {
      await finishFile()
      building = { entry: leaf.entry, builder: new FileDagBuilder(blocks) }
    }
    await building.builder.add(leafDag(leaf.cid, leaf.length))
    progress.bytes += leaf.length
  }

  try {
    for await (const leaves of hashStaged(record, (file) => parts.blob(file), signal)) {
      signal.throwIfAborted()
      await parts.refer(leaves)
      for (const leaf of leaves) await take(leaf)
      onProgress({ ...progress })
    }
    await finishFile()
    const entries = await Promise.all(
      record.paths.map(async (path, at) => ({ path, dag: dags[at] ?? (await emptyFile(blocks)) })),
    )
    progress.files = entries.length
    const cid = await rootOf(entries, record.kind, record.name, blocks)
    await parts.finish()
    await blocks.finish()
    signal.throwIfAborted()
    onProgress({ ...progress })
    return describe(cid, record.kind, record.name, progress)
  } catch (error) {
    await parts.stop()
    await blocks.settle()
    throw failure(error, signal)
  } finally {
    // What was not referred to goes, unless somebody else has it open.
    await parts.close()
  }
}

/**
 * Makes UnixFS blocks of a source while it is read, for a store that keeps no Blobs. The caller commits and pins.
 * @throws PocketError ERR_INVALID_NAME, ERR_INVALID_ARGUMENT, ERR_LIMIT_EXCEEDED, ERR_SOURCE_UNREADABLE,
 * ERR_SOURCE_CHANGED, ERR_ABORTED, storage codes
 */
export async function addDirectly(source: AddSource, { signal, onProgress, ...init }: AddInit): Promise<Added> {
  const blocks = new WriteBehind(init.blocks)
  const kind = Array.isArray(source) ? 'directory' : 'file'
  const entries = Array.isArray(source) ? source : [{ path: '', content: source }]
  const name = Array.isArray(source) ? commonRoot(await checkEntries(source)) : isFile(source) ? source.name : undefined
  const progress: AddProgress = { bytes: 0, files: 0 }
  try {
    signal.throwIfAborted()
    const files: FolderEntry[] = []
    const added = pipeline(entries, DIRECT, async ({ path, content }) => {
      const builder = new FileDagBuilder(blocks)
      for await (const bytes of leavesOf(content, signal)) {
        signal.throwIfAborted()
        const cid = await rawCidOf(bytes)
        await blocks.put(cid, bytes)
        await builder.add(leafDag(cid, bytes.byteLength))
        progress.bytes += bytes.byteLength
        onProgress({ ...progress })
      }
      const dag = (await builder.finish()) ?? (await emptyFile(blocks))
      progress.files++
      onProgress({ ...progress })
      return { path, dag }
    })
    for await (const file of added) files.push(file)
    signal.throwIfAborted()
    const cid = await rootOf(files, kind, name, blocks)
    await blocks.finish()
    return describe(cid, kind, name, progress)
  } catch (error) {
    await blocks.settle()
    throw failure(error, signal)
  }
}

/** A file without bytes is an empty leaf. */
async function emptyFile(blocks: WriteBehind): Promise<FileDag> {
  const bytes = new Uint8Array()
  const cid = await rawCidOf(bytes)
  await blocks.put(cid, bytes)
  return leafDag(cid, 0)
}

async function rootOf(
  entries: FolderEntry[],
  kind: Added['type'],
  name: string | undefined,
  blocks: WriteBehind,
): Promise<CID> {
  const [only] = entries
  if (kind === 'file' && only !== undefined) return only.dag.cid
  return buildFolder(entries, blocks, { wrap: name === undefined })
}

function describe(cid: CID, type: Added['type'], name: string | undefined, progress: AddProgress): Added {
  return { cid, size: progress.bytes, files: progress.files, type, ...(name === undefined ? {} : { name }) }
}

function failure(error: unknown, signal: AbortSignal): PocketError {
  if (signal.aborted) return new PocketError('ERR_ABORTED', undefined, { cause: signal.reason })
  return toPocketError(error)
}
