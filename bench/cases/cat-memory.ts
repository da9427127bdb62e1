/** What reading a file costs in memory. */
import { existsSync } from 'node:fs'
import type { Case, Measure } from '../lib/case.ts'
import { peakDuring } from '../lib/memory.ts'
import type { Stage } from '../lib/stage.ts'
import { BYTES, libraryReader, nodeReader } from './cat.ts'

export const catMemory: Case = {
  name: 'cat-memory',
  title: 'Memory to read 100 MiB, over idle',
  unit: 'MiB',
  better: 'less',
  aims: [{ of: 'ours', is: 'at most', value: 64 }],
  rounds: 5,
  warmups: 1,
  async open(stage) {
    if (!existsSync('/proc/self/smaps_rollup')) throw new Error('only Linux tells how much memory a process takes')
    const path = await stage.file('cat-memory', BYTES)
    const peak = (reader: Measure): Measure => ({
      label: reader.label,
      run: (round) => peakDuring(stage.cdp, () => reader.run(round)),
    })
    return {
      ours: peak(await nodeReader(stage, path)),
      stock: peak(await libraryReader(stage, path, 'stock', 'add', 'cat', 'stock Helia, blockstore-idb, in a worker')),
      beside: [
        peak(
          await libraryReader(stage, path, 'raw', 'store', 'read', 'slices of a Blob in IndexedDB, 1 MiB, 8 at once'),
        ),
      ],
      notes: () => [
        'The most that all processes of the browser took together, every 20 ms (PSS), less what they took before.',
      ],
      close: () => forgetBoth(stage),
    }
  },
}

async function forgetBoth(stage: Stage): Promise<void> {
  await stage.forget(stage.appUrl)
  await stage.forget(stage.benchUrl)
}
