/** Stores random blocks for ever and says which are acknowledged, until it is killed. */
import { createBlockstore } from '../../../src/core/storage/index.ts'
import { openBlockTable } from '../../../src/platform/worker/indexeddb/index.ts'
import { randomBlock } from '../../support/storage/blocks.ts'

addEventListener(
  'message',
  ({ data }: MessageEvent<{ name: string; size: number }>) => void write(data.name, data.size),
)

async function write(name: string, size: number): Promise<void> {
  const store = await createBlockstore(await openBlockTable({ name }))
  const lane = async () => {
    for (;;) {
      const { cid, bytes } = await randomBlock(size)
      await store.put(cid, bytes)
      postMessage(cid.toString())
    }
  }
  await Promise.all(Array.from({ length: 16 }, lane))
}
