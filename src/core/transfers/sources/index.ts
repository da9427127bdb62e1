import type { Libp2p } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import type { FetchSource } from '../../../contract/node-api.ts'
import type { BlockSource } from '../../content/block-source.ts'
import type { PocketBlockstore } from '../../storage/index.ts'
import type { FetchPort } from '../../ports.ts'
import { createRoster, type RosterInit } from './roster.ts'
import { createScheduler } from './scheduler.ts'

export interface SourcesInit {
  libp2p: Libp2p
  fetch: FetchPort
  source: BlockSource
  blocks: Pick<PocketBlockstore, 'has' | 'put' | 'putFile'>
  reach: RosterInit['reach']
  lanes?: () => number
  /** Without a verified block for so long, in ms, a fetch gives up. Default LIMITS.findTimeoutMs. */
  patienceMs?: number
}

export interface BringOptions {
  signal: AbortSignal
  /** Multiaddrs and URLs of gateways to ask beside the connected peers. */
  from: string[]
  onStored: (cid: CID, bytes: number) => void
  onHeld: (cid: CID, bytes: number) => void
  /** A source was dropped, for now or for good. */
  onDropped: () => void
}

/** Everybody who may have blocks, as one. */
export interface Sources {
  /**
   * Begins to bring what of a DAG is missing from all sources at once; peers that connect meanwhile join in.
   * @throws PocketError ERR_INVALID_ARGUMENT, ERR_INVALID_MULTIADDR for `from`
   */
  bring(root: CID, options: BringOptions): Bringing
}

export interface Bringing {
  /**
   * Resolves when nothing is missing any more; nothing is written after it has settled. Rejects with ERR_NOT_FOUND, with what
   * a source was dropped for when nobody else had it, with ERR_INVALID_BLOCK, ERR_UNSUPPORTED_CODEC or ERR_LIMIT_EXCEEDED when
   * the content is wrong, ERR_ABORTED, storage codes.
   */
  done: Promise<void>
  describe(): FetchSource[]
}

export function createSources({ source, blocks, patienceMs, ...init }: SourcesInit): Sources {
  return {
    bring(root, { signal, from, onStored, onHeld, onDropped }) {
      const stop = new AbortController()
      const roster = createRoster(
        { ...init, source },
        { from, signal: AbortSignal.any([signal, stop.signal]), onChange: () => scheduler.wake() },
      )
      const scheduler = createScheduler({
        store: source,
        blocks,
        sources: () => roster.list(),
        signal,
        onStored,
        onHeld,
        onDropped,
        ...(patienceMs === undefined ? {} : { patienceMs }),
      })
      const run = async (): Promise<void> => {
        try {
          await roster.ready
          await scheduler.run(root)
        } finally {
          roster.stop()
          stop.abort()
        }
      }
      return { done: run(), describe: () => [...scheduler.describe(), ...roster.failed()] }
    },
  }
}
