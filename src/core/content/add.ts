import type { Blockstore } from 'interface-blockstore'
import { importer, type ImportCandidate } from 'ipfs-unixfs-importer'
import type { CID } from 'multiformats/cid'
import type { AddEntry, AddProgress, AddSource } from '../../contract/node-api.ts'
import { isPocketError, PocketError, toPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { checkEntryPath } from './names.ts'

export interface AddInit {
  blocks: Pick<Blockstore, 'get' | 'put' | 'has'>
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
/** Blocks hashed and written at once: a batch of the store (about 40) fills while the next is read. */
const WRITES = 48

/**
 * Writes a file or a folder as UnixFS blocks. The caller commits and pins.
 * @throws PocketError ERR_INVALID_NAME, ERR_INVALID_ARGUMENT, ERR_LIMIT_EXCEEDED, ERR_SOURCE_UNREADABLE,
 * ERR_SOURCE_CHANGED, ERR_ABORTED, storage codes
 */
export async function addContent(source: AddSource, { blocks, signal, onProgress }: AddInit): Promise<Added> {
  const entries = Array.isArray(source) ? source : undefined
  const root = entries === undefined ? undefined : commonRoot(checkEntries(entries))
  const progress: AddProgress = { bytes: 0, files: 0 }
  const total = totalSize(source)
  if (total !== undefined) progress.total = total

  async function* read(content: AddEntry['content']): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of chunksOf(content)) {
      signal.throwIfAborted()
      progress.bytes += chunk.byteLength
      onProgress({ ...progress })
      yield chunk
    }
    progress.files++
    onProgress({ ...progress })
  }

  const candidates = function* (): Generator<ImportCandidate> {
    if (entries === undefined) yield { path: 'file', content: read(source as AddEntry['content']) }
    else for (const { path, content } of entries) yield { path, content: read(content) }
  }

  let last: { cid: CID } | undefined
  try {
    for await (const entry of importer(candidates(), blocks, {
      profile: PROFILE,
      blockWriteConcurrency: WRITES,
      // One file at a time keeps memory flat; small files are batched by the store.
      fileImportConcurrency: entries === undefined ? 1 : 16,
      wrapWithDirectory: entries !== undefined && root === undefined,
    })) {
      last = entry
    }
  } catch (error) {
    if (signal.aborted) throw new PocketError('ERR_ABORTED', undefined, { cause: signal.reason })
    throw toPocketError(error)
  }
  if (last === undefined) throw new PocketError('ERR_INTERNAL', 'The importer made no root')
  const name = root ?? (isFile(source) ? source.name : undefined)
  return {
    cid: last.cid,
    size: progress.bytes,
    files: progress.files,
    type: entries === undefined ? 'file' : 'directory',
    ...(name === undefined ? {} : { name }),
  }
}

function checkEntries(entries: AddEntry[]): string[][] {
  if (entries.length === 0) throw new PocketError('ERR_INVALID_ARGUMENT', 'The folder has no files')
  if (entries.length > LIMITS.maxFolderEntries) {
    throw new PocketError('ERR_LIMIT_EXCEEDED', undefined, {
      detail: { limit: 'maxFolderEntries', max: LIMITS.maxFolderEntries },
    })
  }
  const files = new Set<string>()
  const folders = new Set<string>()
  return entries.map(({ path }) => {
    const parts = checkEntryPath(path)
    for (let depth = 1; depth < parts.length; depth++) folders.add(parts.slice(0, depth).join('/'))
    if (files.has(path) || folders.has(path) || parts.some((_, at) => files.has(parts.slice(0, at).join('/')))) {
      throw new PocketError('ERR_INVALID_NAME', 'Two entries have the same path', {
        detail: { path: path.slice(0, 300) },
      })
    }
    files.add(path)
    return parts
  })
}

/** The folder that holds all entries, if there is one: it becomes the root and gives its name. */
function commonRoot(paths: string[][]): string | undefined {
  const first = paths[0]?.[0]
  return first !== undefined && paths.every((path) => path.length > 1 && path[0] === first) ? first : undefined
}

function totalSize(source: AddSource): number | undefined {
  if (!Array.isArray(source)) return sizeOf(source)
  let total = 0
  for (const { content } of source) {
    const size = sizeOf(content)
    if (size === undefined) return undefined
    total += size
  }
  return total
}

function sizeOf(content: AddEntry['content']): number | undefined {
  if (content instanceof Blob) return content.size
  return content instanceof Uint8Array ? content.byteLength : undefined
}

function isFile(source: AddSource): source is File {
  return source instanceof Blob && 'name' in source && typeof source.name === 'string'
}

async function* chunksOf(content: AddEntry['content']): AsyncGenerator<Uint8Array, void> {
  if (content instanceof Uint8Array) yield* slicesOf(content)
  else if (content instanceof Blob) yield* readBlob(content)
  else yield* readStream(content)
}

function* slicesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += LIMITS.chunkBytes) yield bytes.subarray(at, at + LIMITS.chunkBytes)
}

/** Bytes of one read: Chromium reads large slices several times faster than small ones (storage measurements, ADR 0003). */
const READ_BYTES = 8 * LIMITS.chunkBytes

async function* readBlob(blob: Blob): AsyncGenerator<Uint8Array, void> {
  const read = async (at: number): Promise<Uint8Array> => {
    const expected = Math.min(READ_BYTES, blob.size - at)
    let bytes: Uint8Array
    try {
      bytes = new Uint8Array(await blob.slice(at, at + expected).arrayBuffer())
    } catch (cause) {
      // NotReadableError: moved, deleted or changed since it was picked; the platform does not say which.
      throw new PocketError('ERR_SOURCE_UNREADABLE', undefined, { cause })
    }
    if (bytes.byteLength !== expected) throw new PocketError('ERR_SOURCE_CHANGED')
    return bytes
  }
  let next = blob.size > 0 ? read(0) : undefined
  for (let at = 0; next !== undefined; at += READ_BYTES) {
    const bytes = await next
    next = at + READ_BYTES < blob.size ? read(at + READ_BYTES) : undefined
    // Awaited in the next round: a failure before that must not count as unhandled.
    next?.catch(() => undefined)
    yield* slicesOf(bytes)
  }
}

async function* readStream(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      if (!(value instanceof Uint8Array))
        throw new PocketError('ERR_INVALID_ARGUMENT', 'A stream of bytes was expected')
      yield value
    }
  } catch (error) {
    throw isPocketError(error) ? error : new PocketError('ERR_SOURCE_UNREADABLE', undefined, { cause: error })
  } finally {
    await reader.cancel().catch(() => undefined)
    reader.releaseLock()
  }
}
