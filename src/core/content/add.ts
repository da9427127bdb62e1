import type { Blockstore } from 'interface-blockstore'
import { importer, type ImportCandidate } from 'ipfs-unixfs-importer'
import type { CID } from 'multiformats/cid'
import type { AddEntry, AddProgress, AddSource } from '../../contract/node-api.ts'
import { PocketError, toPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { PocketBlockstore, StoredFile } from '../storage/index.ts'
import { checkEntries, commonRoot } from './entries.ts'
import { chunksOf, isFile, totalSize } from './sources.ts'
import { storedLeaves } from './stored-leaves.ts'

export interface AddInit {
  /** Where nodes and small leaves go. */
  blocks: Pick<Blockstore, 'get' | 'put' | 'has'>
  /** Where a large File is kept whole; without it, leaves are values. */
  files?: Pick<PocketBlockstore, 'putFile'>
  signal: AbortSignal
  onProgress: (progress: AddProgress) => void
}

export interface Added {
  cid: CID
  size: number
  files: number
  type: 'file' | 'directory'
  /** The folder's own name, where all entries have one in common; the File's name. */
  name?: string
}

/** IPIP-499: the CIDs that Kubo makes with the same profile. */
const PROFILE = 'unixfs-v1-2025'
/** Blocks hashed and written at once: a batch of the store fills while the next is read. */
const WRITES = 48

/**
 * Writes a file or a folder as UnixFS blocks. The caller commits and pins.
 * @throws PocketError ERR_INVALID_NAME, ERR_INVALID_ARGUMENT, ERR_LIMIT_EXCEEDED, ERR_SOURCE_UNREADABLE,
 * ERR_SOURCE_CHANGED, ERR_ABORTED, storage codes
 */
export async function addContent(source: AddSource, init: AddInit): Promise<Added> {
  const { signal, onProgress } = init
  const entries = Array.isArray(source) ? source : undefined
  const root = entries === undefined ? undefined : commonRoot(checkEntries(entries))
  const progress: AddProgress = { bytes: 0, files: 0 }
  const total = totalSize(source)
  if (total !== undefined) progress.total = total

  async function* count(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of chunks) {
      signal.throwIfAborted()
      progress.bytes += chunk.byteLength
      onProgress({ ...progress })
      yield chunk
    }
    progress.files++
    onProgress({ ...progress })
  }

  let cid: CID
  try {
    signal.throwIfAborted()
    if (!Array.isArray(source)) cid = await addOne(source, init, count)
    else cid = await importInto(init, folder(source, count), { wrapWithDirectory: root === undefined })
  } catch (error) {
    if (signal.aborted) throw new PocketError('ERR_ABORTED', undefined, { cause: signal.reason })
    throw toPocketError(error)
  }
  const name = root ?? (isFile(source) ? source.name : undefined)
  return {
    cid,
    size: progress.bytes,
    files: progress.files,
    type: entries === undefined ? 'file' : 'directory',
    ...(name === undefined ? {} : { name }),
  }
}

type Count = (chunks: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array, void>

function* folder(entries: AddEntry[], count: Count): Generator<ImportCandidate> {
  for (const { path, content } of entries) yield { path, content: count(chunksOf(content)) }
}

async function addOne(source: AddEntry['content'], init: AddInit, count: Count): Promise<CID> {
  // A Blob may be a slice, and a slice must not be stored (ADR 3). One leaf is smaller as a value.
  const keep = isFile(source) && source.size > LIMITS.chunkBytes
  const stored = keep ? await init.files?.putFile(source) : undefined
  if (stored === undefined) return importInto(init, [{ path: 'file', content: count(chunksOf(source)) }])
  return addStored(stored, init, count)
}

async function addStored(stored: StoredFile, init: AddInit, count: Count): Promise<CID> {
  try {
    const leaves = storedLeaves(stored)
    const candidate = { path: 'file', content: count(leaves.content) }
    const cid = await importInto(init, [candidate], { bufferImporter: leaves.bufferImporter })
    await stored.refer(leaves.parts)
    return cid
  } finally {
    // What was not referred to goes with this.
    await stored.close()
  }
}

async function importInto(
  { blocks }: AddInit,
  candidates: Iterable<ImportCandidate>,
  options: Parameters<typeof importer>[2] = {},
): Promise<CID> {
  let root: CID | undefined
  const importing = importer(candidates, blocks, {
    profile: PROFILE,
    blockWriteConcurrency: WRITES,
    // Files of a folder, small ones mostly: their blocks fill a batch together.
    fileImportConcurrency: 16,
    ...options,
  })
  for await (const { cid } of importing) root = cid
  if (root === undefined) throw new PocketError('ERR_INTERNAL', 'The importer made no root')
  return root
}
