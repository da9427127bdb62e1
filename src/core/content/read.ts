import * as dagPb from '@ipld/dag-pb'
import { exporter, walkPath, type ReadableStorage, type UnixFSEntry } from 'ipfs-unixfs-exporter'
import type { CID } from 'multiformats/cid'
import type { CatOptions, LsEntry, StatResult } from '../../contract/node-api.ts'
import { isPocketError, PocketError, toPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockSource } from './block-source.ts'
import { checkCid } from './cids.ts'
import { fileBytes } from './file-blocks.ts'
import { parsePath } from './paths.ts'
import { decodeUnixfs, describeRoot } from './unixfs.ts'
import { decodeNode, walkDag } from './walk.ts'

export interface Reader {
  /** The CID a path leads to. */
  resolve(path: string, options?: { signal?: AbortSignal }): Promise<CID>
  cat(path: string, options?: CatOptions): ReadableStream<Uint8Array>
  ls(path: string, options?: { signal?: AbortSignal }): AsyncGenerator<LsEntry>
  stat(path: string, options?: { signal?: AbortSignal }): Promise<StatResult>
}

/** Entries of a folder whose first block is looked at together. */
const LOOKAHEAD = 16

/**
 * Reads files and folders, from the store or the network.
 * @throws PocketError ERR_INVALID_PATH, ERR_INVALID_CID, ERR_UNSUPPORTED_CODEC, ERR_PATH_NOT_FOUND, ERR_NOT_A_FILE,
 * ERR_NOT_A_DIRECTORY, ERR_NOT_FOUND, ERR_INVALID_BLOCK, ERR_ABORTED, from every method
 */
export function createReader(source: BlockSource): Reader {
  const storage = (signal: AbortSignal | undefined): ReadableStorage => ({
    async *get(cid: CID) {
      // The exporter follows paths through other codecs too, which this node cannot read (and its build leaves out).
      checkCid(cid)
      yield await source.get(cid, signal === undefined ? {} : { signal })
    },
  })

  async function open(path: string, signal: AbortSignal | undefined): Promise<UnixFSEntry> {
    const cid = await resolve(path, signal)
    try {
      return await exporter(cid, storage(signal), signal === undefined ? {} : { signal })
    } catch (error) {
      throw readError(error, path)
    }
  }

  async function resolve(path: string, signal: AbortSignal | undefined): Promise<CID> {
    const { cid, names } = parsePath(path)
    if (names.length === 0) return cid
    // Names as they are: the walk decodes nothing.
    const target = [cid.toString(), ...names].join('/')
    try {
      let found = cid
      for await (const entry of walkPath(target, storage(signal), signal === undefined ? {} : { signal })) {
        found = entry.cid
      }
      return found
    } catch (error) {
      throw readError(error, path)
    }
  }

  async function* bytesOf(path: string, { offset = 0, length, signal }: CatOptions): AsyncGenerator<Uint8Array, void> {
    checkRange(offset, length)
    const cid = await resolve(path, signal)
    const { type, size } = describeRoot(cid, await source.get(cid, signal === undefined ? {} : { signal }))
    if (type !== 'file') throw new PocketError('ERR_NOT_A_FILE')
    const to = length === undefined ? size : Math.min(size, offset + length)
    const own: Pick<BlockSource, 'get'> = { get: (each, options) => source.getOwn(each, options) }
    yield* fileBytes(cid, { from: offset, to }, own, signal === undefined ? {} : { signal })
  }

  async function describe(name: string, cid: CID, size: bigint, signal?: AbortSignal): Promise<LsEntry> {
    if (cid.code !== dagPb.code) return { name, cid: cid.toString(), size: Number(size), type: 'file' }
    const node = decodeNode(cid, await source.get(cid, signal === undefined ? {} : { signal }))
    const unixfs = decodeUnixfs(cid, node)
    return unixfs.isDirectory()
      ? { name, cid: cid.toString(), size: Number(size), type: 'directory' }
      : { name, cid: cid.toString(), size: Number(unixfs.fileSize()), type: 'file' }
  }

  return {
    resolve: (path, { signal } = {}) => resolve(path, signal),

    cat(path, options = {}) {
      const stop = new AbortController()
      const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
      const bytes = bytesOf(path, { ...options, signal })
      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            const { done, value } = await bytes.next()
            if (done === true) controller.close()
            else controller.enqueue(value)
          },
          async cancel() {
            stop.abort()
            await bytes.return(undefined).catch(() => undefined)
          },
        },
        { highWaterMark: 0 },
      )
    },

    async *ls(path, { signal } = {}) {
      const entry = await open(path, signal)
      if (entry.type !== 'directory') throw new PocketError('ERR_NOT_A_DIRECTORY')
      const pending: Promise<LsEntry>[] = []
      let count = 0
      try {
        for await (const { name, cid, size } of entry.entries(signal === undefined ? {} : { signal })) {
          if (++count > LIMITS.maxListedEntries) {
            throw new PocketError('ERR_LIMIT_EXCEEDED', 'The folder has too many entries', {
              detail: { limit: LIMITS.maxListedEntries },
            })
          }
          const described = describe(name, cid, size, signal)
          described.catch(() => undefined)
          pending.push(described)
          if (pending.length >= LOOKAHEAD) yield await (pending.shift() as Promise<LsEntry>)
        }
        for (const described of pending) yield await described
      } catch (error) {
        throw readError(error, path)
      }
    },

    async stat(path, { signal } = {}) {
      const cid = await resolve(path, signal)
      const bytes = await source.get(cid, signal === undefined ? {} : { signal })
      const { type, size } = describeRoot(cid, bytes)
      const local = { bytes: 0, complete: true }
      await walkDag(cid, {
        window: LIMITS.fetchWindow,
        ...(signal === undefined ? {} : { signal }),
        async load(each) {
          if (!(await source.has(each))) {
            local.complete = false
            return undefined
          }
          local.bytes += source.sizeOf(each) ?? 0
          return each.code === dagPb.code ? source.getLocal(each) : undefined
        },
      })
      return { cid: cid.toString(), size, type, local }
    },
  }
}

function checkRange(offset: number, length: number | undefined): void {
  for (const value of [offset, length ?? 0]) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new PocketError('ERR_INVALID_ARGUMENT', 'offset and length are whole numbers of bytes')
    }
  }
}

function readError(error: unknown, path: string): PocketError {
  if (isPocketError(error)) return error
  const detail = { path: path.slice(0, 300) }
  switch (error instanceof Error ? error.name : '') {
    case 'NotFoundError':
    case 'BadPathError':
    case 'NoPropError':
      return new PocketError('ERR_PATH_NOT_FOUND', undefined, { cause: error, detail })
    case 'NotUnixFSError':
    case 'OverReadError':
    case 'UnderReadError':
      return new PocketError('ERR_INVALID_BLOCK', undefined, { cause: error, detail })
    default:
      return toPocketError(error)
  }
}
