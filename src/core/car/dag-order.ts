import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockSource } from '../content/block-source.ts'
import { decodeNode, keyOf } from '../content/walk.ts'
import type { CarBlock } from './decode.ts'

/**
 * The blocks of a DAG depth first, each once: the order a reader needs them in, and that trustless gateways promise
 * (`order=dfs; dups=n`). Reads ahead of the consumer by LIMITS.fetchWindow blocks.
 */
export async function* dagOrder(
  root: CID,
  source: Pick<BlockSource, 'get'>,
  { signal }: { signal?: AbortSignal } = {},
): AsyncGenerator<CarBlock, void> {
  const options = signal === undefined ? {} : { signal }
  const seen = new Set<string>([keyOf(root)])
  // Next to be yielded last: a stack. What stands at its top is being read already.
  const stack: { cid: CID; bytes?: Promise<Uint8Array> }[] = [{ cid: root }]
  const start = (entry: { cid: CID; bytes?: Promise<Uint8Array> }): Promise<Uint8Array> => {
    if (entry.bytes === undefined) {
      entry.bytes = source.get(entry.cid, options)
      // Awaited when its turn comes: a failure before that must not count as unhandled.
      entry.bytes.catch(() => undefined)
    }
    return entry.bytes
  }
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    signal?.throwIfAborted()
    const bytes = await start(entry)
    if (entry.cid.code === dagPb.code) {
      for (const { Hash } of decodeNode(entry.cid, bytes).Links.reverse()) {
        if (seen.has(keyOf(Hash))) continue
        seen.add(keyOf(Hash))
        stack.push({ cid: Hash })
      }
    }
    for (const next of stack.slice(-LIMITS.fetchWindow)) void start(next)
    yield { cid: entry.cid, bytes }
  }
}
