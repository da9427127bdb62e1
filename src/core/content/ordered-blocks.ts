import type { CID } from 'multiformats/cid'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockSource } from './block-source.ts'

export interface Wanted<T> {
  cid: CID
  /** What the caller knows of the place of this block. */
  at: T
}

export interface OrderedBlock<T> extends Wanted<T> {
  bytes: Uint8Array
}

export interface OrderOptions<T> {
  signal?: AbortSignal
  /** Which blocks below this one are wanted, in order. */
  below: (block: OrderedBlock<T>) => Wanted<T>[]
}

/**
 * Blocks depth first, the order in which a reader needs them, read ahead of the consumer by LIMITS.fetchWindow blocks and
 * no more: what is not taken is not read.
 * @throws what the source and `below` throw; ERR_LIMIT_EXCEEDED
 */
export async function* orderedBlocks<T>(
  root: Wanted<T>,
  source: Pick<BlockSource, 'get'>,
  { signal, below }: OrderOptions<T>,
): AsyncGenerator<OrderedBlock<T>, void> {
  const options = signal === undefined ? {} : { signal }
  // Next to be yielded last: a stack. What stands at its top is being read already.
  const stack: (Wanted<T> & { bytes?: Promise<Uint8Array> })[] = [root]
  const read = (entry: (typeof stack)[number]): Promise<Uint8Array> => {
    if (entry.bytes === undefined) {
      entry.bytes = source.get(entry.cid, options)
      // Awaited when its turn comes: a failure before that must not count as unhandled.
      entry.bytes.catch(() => undefined)
    }
    return entry.bytes
  }
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    signal?.throwIfAborted()
    const block = { cid: entry.cid, at: entry.at, bytes: await read(entry) }
    for (const next of below(block).reverse()) stack.push(next)
    // A few nodes that link to each other many times, many deep: no file has that.
    if (stack.length > LIMITS.maxOpenLinks) {
      throw new PocketError('ERR_LIMIT_EXCEEDED', 'The content has too many links above one another', {
        detail: { limit: LIMITS.maxOpenLinks },
      })
    }
    for (const next of stack.slice(-LIMITS.fetchWindow)) void read(next)
    yield block
  }
}
