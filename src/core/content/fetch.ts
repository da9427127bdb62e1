import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import type { FetchProgress } from '../../contract/node-api.ts'
import { isPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockSource } from './block-source.ts'
import type { Accelerator } from '../transfers/accelerate.ts'
import { decodeNode, keyOf, walkDag } from './walk.ts'

export interface FetchInit {
  source: BlockSource
  accelerator: Accelerator
}

export interface FetchOptions {
  signal: AbortSignal
  onProgress: (progress: FetchProgress) => void
  /** Who to ask beside connected peers: multiaddrs and URLs of trustless gateways. */
  from?: string[]
}

/**
 * Brings every block of a DAG into the store. Blocks that are there cost no request.
 * @throws PocketError ERR_NOT_FOUND, ERR_INVALID_BLOCK, ERR_ABORTED, storage codes
 */
export async function fetchDag(
  root: CID,
  { source, accelerator }: FetchInit,
  { signal, onProgress }: FetchOptions,
): Promise<void> {
  const progress: FetchProgress = { bytes: 0 }
  const counted = new Set<string>()
  let lastProgress = Date.now()
  const countSize = (cid: CID, size: number): void => {
    if (counted.has(keyOf(cid))) return
    counted.add(keyOf(cid))
    progress.bytes += size
    onProgress({ ...progress })
  }
  const count = (cid: CID, bytes: Uint8Array): void => {
    if (progress.total === undefined && cid.equals(root)) progress.total = cumulativeSize(root, bytes)
    countSize(cid, bytes.byteLength)
  }
  // The walk proves that nothing is missing and fetches what is.
  const walk = async (): Promise<void> =>
    walkDag(root, {
      signal,
      window: LIMITS.fetchWindow,
      async load(cid) {
        // A leaf that is there need not be read. That it is asked for keeps it: the nodes above it are there by now.
        if (cid.code !== dagPb.code && (await source.has(cid))) {
          countSize(cid, source.sizeOf(cid) ?? 0)
          return undefined
        }
        const bytes = await source.get(cid, { signal, patienceMs: LIMITS.askAgainMs })
        count(cid, bytes)
        return bytes
      },
    })
  count(root, await source.get(root, { signal }))
  for (let again = false; ; again = true) {
    const before = progress.bytes
    await accelerator.run(root, { signal, again, onBlock: count })
    try {
      return await walk()
    } catch (error) {
      // A want that went out on a connection that was dying is lost for Bitswap. Whoever is connected by now is asked
      // anew, until nothing at all has come for as long as for anything else.
      if (!isPocketError(error, 'ERR_NOT_FOUND')) throw error
      if (progress.bytes > before) lastProgress = Date.now()
      if (Date.now() - lastProgress > LIMITS.findTimeoutMs) throw error
      // Refused at once rather than unanswered: not faster than a connection can be made.
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
}

/** What the root says of the size of its DAG: a hint for progress, not checked. */
function cumulativeSize(cid: CID, bytes: Uint8Array): number {
  if (cid.code !== dagPb.code) return bytes.byteLength
  return decodeNode(cid, bytes).Links.reduce((sum, link) => sum + (link.Tsize ?? 0), bytes.byteLength)
}
