/** Opens a store and frees what the given pins do not need, saying so before the first deletion, until it is killed. */
import { createBlockSource } from '../../../src/core/content/block-source.ts'
import { createCollector } from '../../../src/core/repo/collector.ts'
import { createHeldRoots } from '../../../src/core/repo/held-roots.ts'
import { createBlockstore } from '../../../src/core/storage/index.ts'
import { openBlockTable } from '../../../src/platform/worker/indexeddb/index.ts'

addEventListener(
  'message',
  ({ data }: MessageEvent<{ name: string; pins: string[] }>) => void collect(data.name, data.pins),
)

async function collect(name: string, pins: string[]): Promise<void> {
  const store = await createBlockstore(await openBlockTable({ name }))
  const source = createBlockSource({ networked: store, local: store })
  const collector = createCollector({ uses: store.uses, source, pins: () => pins, roots: createHeldRoots() })
  await collector.gc({ onProgress: ({ blocks }) => postMessage(blocks) })
  postMessage('done')
}
