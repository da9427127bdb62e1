/** A File into the node: read, hashed, stored and committed. */
import type { Page } from '@playwright/test'
import type { Case, Measure } from '../lib/case.ts'
import { connectNode, openBarePage, pickFile } from '../lib/node-page.ts'
import type { Stage } from '../lib/stage.ts'
import { mibPerSecond, MiB } from '../lib/units.ts'
import { callWorker, startWorker } from '../lib/worker-call.ts'

const BYTES = 100 * MiB

export const add: Case = {
  name: 'add',
  title: 'Add a File of 100 MiB',
  unit: 'MiB/s',
  better: 'more',
  aims: [
    { of: 'stock', is: 'at least', value: 4 },
    { of: 'ratio', is: 'at least', value: 0.85 },
  ],
  rounds: 5,
  warmups: 1,
  async open(stage) {
    const path = await stage.file('add', BYTES)
    await stage.forget(stage.appUrl)
    return {
      ours: ours(stage, path),
      ceiling: [
        library(stage, path, 'raw', 'hash', 'read and SHA-256, 1 MiB leaves, 8 at once'),
        library(stage, path, 'raw', 'hashLarge', 'read 16 MiB at a time, 4 at once, SHA-256 of each MiB'),
      ],
      stock: library(stage, path, 'stock', 'add', 'stock Helia, blockstore-idb, in a worker'),
      notes: () => [
        'Each run begins with an empty store; ours ends with a strict commit, stock Helia with a relaxed one.',
      ],
      close: async () => stage.forget(stage.appUrl),
    }
  },
}

function ours(stage: Stage, path: string): Measure {
  return {
    label: 'add() from a page',
    async run() {
      const page = await openBarePage(stage.context, stage)
      const node = await connectNode(page)
      const file = await pickFile(page, path)
      const ms = await page.evaluate(
        async ({ node, file }) => {
          const start = performance.now()
          const { size } = await node.add(file)
          if (size !== file.size) throw new Error(`added ${size} of ${file.size} bytes`)
          return performance.now() - start
        },
        { node, file },
      )
      await stage.forget(stage.appUrl)
      return mibPerSecond(BYTES, ms)
    },
  }
}

function library(stage: Stage, path: string, name: 'raw' | 'stock', operation: string, label: string): Measure {
  return {
    label,
    async run() {
      const page: Page = await stage.context.newPage()
      await page.goto(stage.benchUrl)
      const worker = await startWorker(page, name)
      const file = await pickFile(page, path)
      if (name === 'stock') await callWorker(page, worker, 'start', file)
      const ms = await callWorker(page, worker, operation, file)
      await stage.forget(stage.benchUrl)
      return mibPerSecond(BYTES, ms)
    },
  }
}
