import type { RepoApi } from '../../contract/node-api.ts'
import type { BlockSource } from '../content/block-source.ts'
import type { StorageEstimate } from '../ports.ts'
import type { PocketBlockstore } from '../storage/index.ts'
import type { Collector } from './collector.ts'
import { verifyRepo } from './verify.ts'

export interface RepoInit {
  blocks: PocketBlockstore
  source: BlockSource
  /** Roots of what is kept. */
  pins: () => string[]
  collector: Collector
  estimate: StorageEstimate | undefined
}

export function createRepo({ blocks, source, pins, collector, estimate }: RepoInit): RepoApi {
  return {
    async stat() {
      // The browser's own figures are a bonus: ours do not wait for a failure of it.
      const room = await estimate?.().catch(() => undefined)
      return { ...blocks.stat(), pinned: pins().length, ...room }
    },
    gc: (options) => collector.gc(options),
    verify: (options) => verifyRepo({ blocks, source, pins }, options),
  }
}
