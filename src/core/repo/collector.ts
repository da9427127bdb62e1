import { CID } from 'multiformats/cid'
import { PocketError, toPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockSource } from '../content/block-source.ts'
import type { Amount, BlockUses } from '../storage/index.ts'
import type { HeldRoots } from './held-roots.ts'
import { walkHeld } from './walk-held.ts'

/** Work that writes blocks and relies on others before anybody knows their root. */
export interface Arrival {
  /** A block that this work has written. */
  wrote(cid: CID): void
  /** What came is pinned by now. Never rejects. */
  keep(): Promise<void>
  /** What came is not wanted, nor what is below its root, if it has one: resolves when it is gone. Never rejects. */
  discard(root?: CID): Promise<void>
}

export interface CollectOptions {
  signal?: AbortSignal
  onProgress?: (freed: Amount) => void
}

/**
 * Frees blocks that nothing needs, beside whatever is under way and without waiting for it. Needed are the DAGs below
 * pins and held roots, what was written or used since the collection began, and what was since the oldest arrival began
 * that was under way then.
 * @throws PocketError ERR_PIN_DAMAGED while nobody knows what a pin needs, ERR_ABORTED, storage codes; from every method
 */
export interface Collector {
  arrive(): Arrival
  /** Frees everything that nothing needs. */
  gc(options?: CollectOptions): Promise<Amount>
  /** Frees what only this DAG needed, now or as soon as what is under way has ended. */
  release(root: CID): Promise<Amount>
  /** Frees the least recently used of what nothing needs, until there is room for so many bytes. Resolves to the room made. */
  evict(bytes: number): Promise<number>
}

export interface CollectorInit {
  uses: BlockUses
  source: Pick<BlockSource, 'getLocal'>
  /** Roots of what is kept. */
  pins: () => string[]
  roots: HeldRoots
}

export function createCollector({ uses, source, pins, roots }: CollectorInit): Collector {
  /** When the arrivals that are under way began. */
  const arrivals = new Map<symbol, number>()
  /** Doomed blocks were spared for an arrival: they are looked at again when one ends. */
  let leftovers = false
  let last: Promise<unknown> = Promise.resolve()

  /** One at a time: walks share the marks in the index. */
  function inTurn<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const done = last.then(work).catch((error: unknown) => {
      if (signal?.aborted === true) throw new PocketError('ERR_ABORTED', undefined, { cause: signal.reason })
      throw toPocketError(error)
    })
    last = done.catch(() => undefined)
    return done
  }

  /** Notes a use of all that is needed. Resolves to a time: nothing that is needed was used last before it. */
  async function mark(signal?: AbortSignal): Promise<number> {
    // Before anything is read: what comes to be needed from here on is used from here on.
    const before = Math.min(uses.now(), ...arrivals.values())
    const kept = pins().map((pin) => CID.parse(pin))
    const held = roots.all()
    const options = { uses, source, ...(signal === undefined ? {} : { signal }) }
    uses.beginWalk()
    await walkHeld(kept, { ...options, onHole: refuse })
    // Parts of these are expected to be missing.
    await walkHeld(held, { ...options, onHole: () => undefined })
    return before
  }

  async function sweep(before: number, doomed: boolean, { signal, onProgress }: CollectOptions = {}): Promise<Amount> {
    const freed: Amount = { blocks: 0, bytes: 0 }
    const drop = async (batch: Uint8Array[]): Promise<void> => {
      signal?.throwIfAborted()
      const { blocks, bytes } = await uses.drop(batch, before)
      freed.blocks += blocks
      freed.bytes += bytes
      onProgress?.({ ...freed })
    }
    let batch: Uint8Array[] = []
    for (const multihash of uses.unused(before, doomed)) {
      if (batch.push(multihash) < LIMITS.writeBatchChanges) continue
      await drop(batch)
      batch = []
    }
    if (batch.length > 0) await drop(batch)
    return freed
  }

  async function sweepDoomed(): Promise<Amount> {
    const busy = arrivals.size > 0
    const freed = await sweep(await mark(), true)
    leftovers = busy
    return freed
  }

  const release = (root: CID): Promise<Amount> =>
    inTurn(async () => {
      uses.beginWalk()
      await walkHeld([root], { uses, source, onBlock: (block) => uses.doom(block), onHole: () => undefined })
      return sweepDoomed()
    })

  return {
    arrive() {
      const arrival = Symbol('arrival')
      arrivals.set(arrival, uses.now())
      return {
        wrote: (cid) => uses.doom(cid),
        async keep() {
          arrivals.delete(arrival)
          if (leftovers) await inTurn(sweepDoomed).catch(ignore)
        },
        async discard(root) {
          arrivals.delete(arrival)
          await (root === undefined ? inTurn(sweepDoomed) : release(root)).catch(ignore)
        },
      }
    },

    gc: (options = {}) => inTurn(async () => sweep(await mark(options.signal), false, options), options.signal),

    release,

    evict: (bytes) =>
      inTurn(async () => {
        const before = await mark()
        let made = 0
        while (made < bytes) {
          const batch = uses.oldest(before, bytes - made)
          const { blocks, room } = await uses.drop(batch, before)
          made += room
          if (blocks === 0) break
        }
        return made
      }),
  }
}

/** Freeing what is not wanted is best effort: what stays is garbage for the next time. */
const ignore = (): undefined => undefined

/** Whatever lies below is needed, and nobody knows what that is. */
function refuse(cid: CID, cause: unknown): never {
  throw new PocketError('ERR_PIN_DAMAGED', undefined, { cause, detail: { cid: cid.toString() } })
}
