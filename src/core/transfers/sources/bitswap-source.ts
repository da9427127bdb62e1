import { LIMITS } from '../../../shared/limits.ts'
import type { BlockSource } from '../../content/block-source.ts'
import { bringBlocks } from './block-part.ts'
import type { Source } from './source.ts'

/** All connected peers that speak Bitswap, asked together, block by block. */
export function createBitswapSource(source: Pick<BlockSource, 'get'>, lastResort: () => boolean): Source {
  return {
    kind: 'peer',
    id: 'bitswap',
    lanes: 3,
    shared: true,
    lastResort,
    bring: (part, { signal, sink, alive, ...job }) =>
      bringBlocks(part, {
        ...job,
        signal,
        async bring(cid) {
          const bytes = await source.get(cid, { signal, patienceMs: LIMITS.askAgainMs })
          alive(bytes.byteLength)
          sink.note(cid, bytes.byteLength)
          return bytes
        },
      }),
  }
}
