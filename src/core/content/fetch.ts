import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import type { FetchProgress } from '../../contract/node-api.ts'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { Bringing, Sources } from '../transfers/sources/index.ts'
import type { BlockSource } from './block-source.ts'
import { checkCid } from './cids.ts'
import { decodeNode, keyOf, walkDag } from './walk.ts'

export interface FetchInit {
  source: BlockSource
  sources: Sources
}

export interface FetchOptions {
  signal: AbortSignal
  /** Called ten times a second at most, and at the end. */
  onProgress: (progress: FetchProgress) => void
  /** Who to ask beside connected peers: multiaddrs and URLs of trustless gateways. */
  from?: string[]
}

/** Progress is told at most this often, in ms: each crosses a port and draws. */
const PROGRESS_MS = 100
/** A block that was brought may have been lost again: so often it is looked for anew. */
const MAX_ROUNDS = 3

/**
 * Brings every block of a DAG into the store, from all sources at once. Blocks that are there cost no request.
 * @throws PocketError ERR_NOT_FOUND, ERR_BLOCK_HASH_MISMATCH and others that say why sources were dropped when nobody else
 * had the rest, ERR_INVALID_BLOCK, ERR_UNSUPPORTED_CODEC, ERR_LIMIT_EXCEEDED for content that is wrong, ERR_INVALID_ARGUMENT,
 * ERR_INVALID_MULTIADDR for `from`, ERR_ABORTED, storage codes
 */
export async function fetchDag(
  root: CID,
  { source, sources }: FetchInit,
  { signal, onProgress, from = [] }: FetchOptions,
): Promise<void> {
  const counted = new Set<string>()
  let bringing: Bringing | undefined
  let bytes = 0
  let total: number | undefined
  let told = 0
  let later: ReturnType<typeof setTimeout> | undefined
  let over = false
  const tell = (): void => {
    clearTimeout(later)
    later = undefined
    told = Date.now()
    const asked = bringing?.describe() ?? []
    onProgress({ bytes, ...(total === undefined ? {} : { total }), ...(asked.length === 0 ? {} : { sources: asked }) })
  }
  const count = (cid: CID, size: number): void => {
    if (counted.has(keyOf(cid))) return
    counted.add(keyOf(cid))
    bytes += size
    if (total === undefined && cid.equals(root)) void declared(root, source).then(expect)
    const wait = told + PROGRESS_MS - Date.now()
    if (wait <= 0) tell()
    // Nothing may come after it for long.
    else if (!over) later ??= setTimeout(tell, wait)
  }
  const expect = (size: number | undefined): void => {
    total ??= size
    // At once: the next block may be seconds away, and a bar without an end is drawn anew for every frame till then.
    if (total !== undefined && !over) tell()
  }
  try {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      bringing = sources.bring(root, { signal, from, onStored: count, onHeld: count, onDropped: tell })
      await bringing.done
      // The proof that nothing is missing: every node is read, every leaf is looked up.
      if (await isWhole(root, source, { signal, count })) return
    }
  } finally {
    over = true
    tell()
  }
  throw new PocketError('ERR_NOT_FOUND', 'Blocks vanish while they are fetched')
}

async function isWhole(
  root: CID,
  source: BlockSource,
  { signal, count }: { signal: AbortSignal; count: (cid: CID, size: number) => void },
): Promise<boolean> {
  let whole = true
  await walkDag(root, {
    signal,
    window: LIMITS.fetchWindow,
    async load(cid) {
      checkCid(cid)
      if (!(await source.has(cid))) {
        whole = false
        return undefined
      }
      count(cid, source.sizeOf(cid) ?? 0)
      return cid.code === dagPb.code ? source.getLocal(cid) : undefined
    },
  })
  return whole
}

/** What the root says of the size of its DAG: a hint for progress, not checked. */
async function declared(cid: CID, source: BlockSource): Promise<number | undefined> {
  try {
    const bytes = await source.getLocal(cid)
    if (cid.code !== dagPb.code) return bytes.byteLength
    return decodeNode(cid, bytes).Links.reduce((sum, link) => sum + (link.Tsize ?? 0), bytes.byteLength)
  } catch {
    // The walk says what is wrong with it.
    return undefined
  }
}
