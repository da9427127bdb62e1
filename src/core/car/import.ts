import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import type { CarImportProgress } from '../../contract/node-api.ts'
import type { BlockSource } from '../content/block-source.ts'
import { checkLinkName } from '../content/names.ts'
import { decodeUnixfs } from '../content/unixfs.ts'
import { decodeNode, keyOf, walkDag } from '../content/walk.ts'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { readCar } from './decode.ts'

export interface CarStore {
  /** Stores a block after checking its hash; resolves after the commit. */
  put(cid: CID, bytes: Uint8Array): Promise<unknown>
}

export interface StoredCar extends CarImportProgress {
  roots: CID[]
  /** What came, by `keyOf`. */
  arrived: Set<string>
}

export interface StoreCarOptions {
  signal: AbortSignal
  onProgress: (progress: CarImportProgress) => void
  /** Default LIMITS.maxDagBlocks. */
  maxBlocks?: number
}

/**
 * Stores every block of a CAR. Blocks are on their way side by side, by number and by bytes no more than fill two
 * batches of the store.
 * @throws PocketError ERR_INVALID_CAR, ERR_BLOCK_TOO_LARGE, ERR_BLOCK_HASH_MISMATCH, ERR_UNSUPPORTED_CODEC,
 * ERR_LIMIT_EXCEEDED, ERR_ABORTED, storage codes
 */
export async function storeCar(
  source: AsyncIterable<Uint8Array>,
  store: CarStore,
  { signal, onProgress, maxBlocks = LIMITS.maxDagBlocks }: StoreCarOptions,
): Promise<StoredCar> {
  const car = await readCar(source)
  // Nothing could be kept of it: better said before it is all read.
  if (car.roots.length === 0) throw new PocketError('ERR_INVALID_CAR', 'It has no roots')
  const result: StoredCar = { roots: car.roots, blocks: 0, bytes: 0, arrived: new Set() }
  for (const root of car.roots) checkCodec(root)
  const writing = new Set<Promise<void>>()
  let underWay = 0
  let failure: { error: unknown } | undefined
  try {
    for await (const { cid, bytes } of car.blocks) {
      signal.throwIfAborted()
      checkCodec(cid)
      result.arrived.add(keyOf(cid))
      if (result.arrived.size > maxBlocks) {
        throw new PocketError('ERR_LIMIT_EXCEEDED', 'It has too many blocks', { detail: { limit: maxBlocks } })
      }
      underWay += bytes.byteLength
      const job = put(store, cid, bytes)
        .then(() => {
          result.blocks++
          result.bytes += bytes.byteLength
          onProgress({ blocks: result.blocks, bytes: result.bytes })
        })
        .catch((error: unknown) => void (failure ??= { error }))
        .finally(() => {
          underWay -= bytes.byteLength
          writing.delete(job)
        })
      writing.add(job)
      while (writing.size >= LIMITS.writeWindow || underWay > 2 * LIMITS.writeBatchBytes) await Promise.race(writing)
      if (failure !== undefined) break
    }
  } finally {
    await Promise.all(writing)
  }
  if (failure !== undefined) throw failure.error
  return result
}

export interface CheckRootOptions {
  signal: AbortSignal
  /** Every block of the DAG, whether it is there or not. */
  onBlock: (cid: CID) => void
}

/**
 * Whether every block of a DAG is in the store. What is there is looked through for what could do harm later.
 * @throws PocketError ERR_UNSUPPORTED_CODEC, ERR_INVALID_BLOCK, ERR_INVALID_NAME, ERR_ABORTED, storage codes
 */
export async function checkRoot(
  root: CID,
  source: Pick<BlockSource, 'has' | 'getLocal'>,
  { signal, onBlock }: CheckRootOptions,
): Promise<boolean> {
  let complete = true
  await walkDag(root, {
    signal,
    window: LIMITS.fetchWindow,
    async load(cid) {
      onBlock(cid)
      checkCodec(cid)
      if (!(await source.has(cid))) complete = false
      else if (cid.code === dagPb.code) {
        const bytes = await source.getLocal(cid)
        checkNames(cid, bytes)
        return bytes
      }
      return undefined
    },
  })
  return complete
}

async function put(store: CarStore, cid: CID, bytes: Uint8Array): Promise<void> {
  // The block of an identity CID is in the CID: nothing to store.
  if (cid.multihash.code !== 0) await store.put(cid, bytes)
  else if (!sameBytes(cid.multihash.digest, bytes)) throw new PocketError('ERR_BLOCK_HASH_MISMATCH')
}

/** What a block of another codec links to is not known here: nobody could say whether a DAG with it is complete. */
function checkCodec(cid: CID): void {
  if (cid.code === dagPb.code || cid.code === raw.code) return
  throw new PocketError('ERR_UNSUPPORTED_CODEC', undefined, { detail: { cid: cid.toString(), codec: cid.code } })
}

function checkNames(cid: CID, bytes: Uint8Array): void {
  const node = decodeNode(cid, bytes)
  const unixfs = decodeUnixfs(cid, node)
  if (!unixfs.isDirectory()) return
  // Of a shard, behind the two digits of its place; where no name follows, it is a shard below.
  const isShard = unixfs.type === 'hamt-sharded-directory'
  const width = isShard ? (Number(unixfs.fanout ?? 256n) - 1).toString(16).length : 0
  for (const { Name = '' } of node.Links) if (!isShard || Name.length > width) checkLinkName(Name.slice(width))
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at])
}
