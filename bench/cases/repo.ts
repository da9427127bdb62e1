/** Looking after the store: freeing what nothing needs, pinning what is there, and what a large store costs. */
import type { Page } from '@playwright/test'
import type { PocketNode } from '../../src/contract/node-api.ts'
import type { Case, Measure } from '../lib/case.ts'
import { connectNode, openBarePage, pickFile } from '../lib/node-page.ts'
import type { Stage } from '../lib/stage.ts'
import { fillStore, onStore, openStorePage } from '../lib/store-page.ts'
import { MiB } from '../lib/units.ts'
import { callWorker, startWorker } from '../lib/worker-call.ts'

const GARBAGE = 10_000
const PINNED_BYTES = 100 * MiB
const LARGE = 200_000
const SMALL = 2_000
/** Garbage in a large and in a small store. */
const SOME_GARBAGE = 1_000
const ADDED_BYTES = 16 * MiB

const gc: Case = {
  name: 'repo-gc',
  title: 'gc of 10,000 blocks of 1 KiB',
  unit: 'ms',
  better: 'less',
  aims: [{ of: 'ours', is: 'at most', value: 700 }],
  rounds: 3,
  warmups: 1,
  async open(stage) {
    await stage.forget(stage.appUrl)
    const nothing = await stage.file('nothing', 1)
    return {
      ours: freed(stage, 'repo.gc() from a page', false),
      ceiling: [inWorker(stage, nothing, 'raw', ['putKeys', 'deleteKeys'], 'one transaction that deletes the keys')],
      stock: inWorker(
        stage,
        nothing,
        'stock',
        ['start', 'putBlocks', 'gc'],
        'stock Helia, blockstore-idb, in a worker',
      ),
      beside: [freed(stage, 'repo.gc() and the values gone too', true)],
      notes: () => ['Each run has a store of its own with nothing else in it. Deleted values go behind the deletions.'],
      close: async () => stage.forget(stage.appUrl),
    }
  },
}

const pin: Case = {
  name: 'repo-pin',
  title: 'Pin 100 MiB just added',
  unit: 'ms',
  better: 'less',
  aims: [{ of: 'ours', is: 'at most', value: 20 }],
  rounds: 3,
  warmups: 1,
  async open(stage) {
    await stage.forget(stage.appUrl)
    const path = await stage.file('repo-pin', PINNED_BYTES)
    return {
      ours: {
        label: 'pin.add() from a page',
        run: () =>
          onNode(stage, path, async ({ node, file }) => {
            const { cid } = await node.add(file)
            const start = performance.now()
            await node.pin.add(cid)
            return performance.now() - start
          }).finally(() => stage.forget(stage.appUrl)),
      },
      stock: inWorker(stage, path, 'stock', ['start', 'add', 'pin'], 'stock Helia, blockstore-idb, in a worker'),
      close: async () => stage.forget(stage.appUrl),
    }
  },
}

/** One figure in a store of 200,000 pinned blocks; in the place of a ceiling, the same in one of 2,000. */
function large(name: string, title: string, run: (stage: Stage, path: string) => Promise<number>): Case {
  return {
    name: `repo-large-${name}`,
    title: `${title}, 200,000 blocks in the store`,
    unit: 'ms',
    better: 'less',
    aims: [{ of: 'ratio', is: 'at most', value: 1.33 }],
    rounds: 5,
    warmups: 1,
    minutes: 2,
    async open(stage) {
      // Two origins of one companion: each has its store.
      const url = new URL(stage.appUrl)
      url.hostname = url.hostname === 'localhost' ? '127.0.0.1' : 'localhost'
      const small: Stage = { ...stage, appUrl: url.origin }
      const both = [stage, small]
      for (const one of both) await one.forget(one.appUrl)
      await fillStore(stage, 'fillPinned', LARGE)
      await fillStore(small, 'fillPinned', SMALL)
      const path = await stage.file('repo-large', ADDED_BYTES)
      return {
        ours: { label: 'in the large store', run: () => run(stage, path) },
        ceiling: [{ label: 'in a store of 2,000 blocks', run: () => run(small, path) }],
        async close() {
          for (const one of both) await one.forget(one.appUrl)
        },
      }
    },
  }
}

const largeBoot = large('boot', 'connect() to status()', async (stage) => {
  const page = await openBarePage(stage.context, stage)
  const ms = await page.evaluate(async (embed) => {
    const { connect } = (await import(embed)) as { connect: () => Promise<PocketNode> }
    const start = performance.now()
    const node = await connect()
    await node.status()
    return performance.now() - start
  }, '/embed.js')
  return closed(stage, page, ms)
})

const largeAdd = large('add', 'Add a File of 16 MiB', (stage, path) =>
  onNode(stage, path, async ({ node, file }) => {
    const start = performance.now()
    const { cid } = await node.add(file)
    const ms = performance.now() - start
    await node.pin.rm(cid)
    return ms
  }),
)

const largeStat = large('stat', 'repo.stat(), the mean of 100', (stage, path) =>
  onNode(stage, path, async ({ node }) => {
    const start = performance.now()
    for (let at = 0; at < 100; at++) await node.repo.stat()
    return (performance.now() - start) / 100
  }),
)

const largeGc = large('gc', 'gc of 1,000 blocks', async (stage, path) => {
  await fillStore(stage, 'fillGarbage', SOME_GARBAGE)
  return onNode(stage, path, async ({ node }) => {
    const start = performance.now()
    const { blocks } = await node.repo.gc()
    if (blocks !== 1_000) throw new Error(`freed ${blocks} blocks`)
    return performance.now() - start
  })
})

export const repo: Case[] = [gc, pin, largeBoot, largeAdd, largeStat, largeGc]

function freed(stage: Stage, label: string, purged: boolean): Measure {
  return {
    label,
    async run() {
      await fillStore(stage, 'fillGarbage', GARBAGE)
      const page = await openStorePage(stage)
      const node = await connectNode(page)
      const start = performance.now()
      const ms = await page.evaluate(
        async ({ node, count }) => {
          const begin = performance.now()
          const { blocks } = await node.repo.gc()
          if (blocks !== count) throw new Error(`freed ${blocks} of ${count} blocks`)
          return performance.now() - begin
        },
        { node, count: GARBAGE },
      )
      if (purged) await onStore(page, 'untilPurged')
      const all = performance.now() - start
      await stage.forget(stage.appUrl)
      return purged ? all : ms
    },
  }
}

/** The last of the operations is what is timed. */
function inWorker(stage: Stage, path: string, name: 'raw' | 'stock', operations: string[], label: string): Measure {
  return {
    label,
    async run() {
      const page = await stage.context.newPage()
      await page.goto(stage.benchUrl)
      const worker = await startWorker(page, name)
      const file = await pickFile(page, path)
      let ms = 0
      for (const operation of operations) ms = await callWorker(page, worker, operation, file)
      await stage.forget(stage.benchUrl)
      return ms
    },
  }
}

/** Runs in a page of the app with its node started; nothing outside of the function is there. */
async function onNode(
  stage: Stage,
  path: string,
  work: (given: { node: PocketNode; file: File }) => Promise<number>,
): Promise<number> {
  const page = await openBarePage(stage.context, stage)
  const node = await connectNode(page)
  const file = await pickFile(page, path)
  const ms = await page.evaluate(work, { node, file })
  return closed(stage, page, ms)
}

/** Ends with nothing running: the next start finds a store at rest. */
async function closed(stage: Stage, page: Page, ms: number): Promise<number> {
  await page.close()
  await stage.workersGone(stage.appUrl)
  return ms
}
