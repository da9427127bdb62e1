import type { Blockstore } from 'interface-blockstore'
import type { CID } from 'multiformats/cid'
import { isPocketError, PocketError, toPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { inlinedBytes } from './cids.ts'
import { concat } from '../storage/bytes.ts'
import type { PocketBlockstore } from '../storage/index.ts'

/** Blocks as the readers of content ask for them: from the store, else from whoever is connected. */
export interface BlockSource {
  /**
   * @throws PocketError ERR_NOT_FOUND when no block at all arrives for `patienceMs` (default LIMITS.findTimeoutMs),
   * ERR_BLOCK_HASH_MISMATCH when only wrong bytes did; ERR_ABORTED; storage codes
   */
  get(cid: CID, options?: { signal?: AbortSignal; patienceMs?: number }): Promise<Uint8Array>
  /**
   * Like `get`, in a view that nobody else has; of the buffer behind it others may have other parts. What makes up a whole
   * buffer may be transferred.
   */
  getOwn(cid: CID, options?: { signal?: AbortSignal }): Promise<Uint8Array>
  /** Whether the store has it. */
  has(cid: CID): Promise<boolean>
  /** Bytes of a block of the store, without reading it. */
  sizeOf(cid: CID): number | undefined
  /** From the store only. @throws PocketError ERR_NOT_FOUND */
  getLocal(cid: CID): Promise<Uint8Array>
}

export interface BlockSourceInit {
  /** Helia's: falls back to the network. */
  networked: Pick<Blockstore, 'get'>
  local: Pick<PocketBlockstore, 'get' | 'has' | 'sizeOf'>
}

/** A liar that answers at once must not keep this node busy: after so many, a pause in ms. */
const MAX_QUICK_LIES = 16
const MISMATCH_PAUSE_MS = 250

export function createBlockSource({ networked, local }: BlockSourceInit): BlockSource {
  // A slow line is not a missing block: patience counts from the last block that arrived, whichever it was.
  let lastArrival = 0
  const blocks: BlockSource = {
    has: async (cid) => inlinedBytes(cid) !== undefined || local.has(cid),
    sizeOf: (cid) => inlinedBytes(cid)?.byteLength ?? local.sizeOf(cid),
    async getLocal(cid) {
      const bytes = inlinedBytes(cid)
      if (bytes !== undefined) return bytes
      try {
        return await collect(local.get(cid))
      } catch (error) {
        throw blockError(cid, error)
      }
    },
    async getOwn(cid, options = {}) {
      options.signal?.throwIfAborted()
      if (await local.has(cid)) {
        try {
          return await collect(local.get(cid))
        } catch (error) {
          // Deleted just now, or damaged: somebody else may have it.
          const { code } = blockError(cid, error)
          if (code !== 'ERR_NOT_FOUND' && code !== 'ERR_BLOCK_HASH_MISMATCH') throw blockError(cid, error)
        }
      }
      // It may be on its way to the store, and to others who wait for it.
      return (await blocks.get(cid, options)).slice()
    },
    async get(cid, { signal, patienceMs = LIMITS.findTimeoutMs } = {}) {
      signal?.throwIfAborted()
      const patience = new AbortController()
      const started = Date.now()
      let mismatch: unknown
      let lies = 0
      const timer = setInterval(() => {
        if (Date.now() - Math.max(started, lastArrival) > patienceMs) patience.abort()
      }, 1000)
      try {
        const both = signal === undefined ? patience.signal : AbortSignal.any([signal, patience.signal])
        for (;;) {
          try {
            const bytes = await collect(networked.get(cid, { signal: both }))
            lastArrival = Date.now()
            return bytes
          } catch (error) {
            // One liar must not keep an honest peer's answer away: the want stands until patience ends.
            if (both.aborted || !isMismatch(error)) throw error
            mismatch = error
            // At once, since an honest answer may be on its way and is not sent again for 5 s; but not for ever.
            if (++lies > MAX_QUICK_LIES) await new Promise((resolve) => setTimeout(resolve, MISMATCH_PAUSE_MS))
          }
        }
      } catch (error) {
        if (signal?.aborted === true) throw new PocketError('ERR_ABORTED', undefined, { cause: signal.reason })
        if (patience.signal.aborted) throw mismatch === undefined ? notFound(cid, error) : mismatched(cid, mismatch)
        throw blockError(cid, error)
      } finally {
        clearInterval(timer)
      }
    },
  }
  return blocks
}

async function collect(source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  if (parts.length === 1 && parts[0] !== undefined) return parts[0]
  return concat(
    parts,
    parts.reduce((sum, part) => sum + part.byteLength, 0),
  )
}

function notFound(cid: CID, cause: unknown): PocketError {
  return new PocketError('ERR_NOT_FOUND', undefined, { cause, detail: { cid: cid.toString() } })
}

function mismatched(cid: CID, cause: unknown): PocketError {
  return new PocketError('ERR_BLOCK_HASH_MISMATCH', undefined, { cause, detail: { cid: cid.toString() } })
}

/** Helia checked what a peer sent: Bitswap itself compares digests alone, which a block of another hash can be made to have. */
function isMismatch(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error.name === 'InvalidMultihashError') return true
  return 'errors' in error && Array.isArray(error.errors) && error.errors.some(isMismatch)
}

function blockError(cid: CID, error: unknown): PocketError {
  if (isPocketError(error)) return error
  // Helia throws an AggregateError of what each source said.
  const name = error instanceof Error ? error.name : ''
  if (name === 'NotFoundError' || name === 'LoadBlockFailedError' || name === 'BlockNotFoundWhileOfflineError') {
    return notFound(cid, error)
  }
  return toPocketError(error)
}
