/** Many small files as one folder: what a gallery or a project is. */
import type { PocketNode } from '../../src/contract/node-api.ts'
import type { Case, Measure } from '../lib/case.ts'
import { connectNode, openBarePage, pickFile } from '../lib/node-page.ts'
import type { Stage } from '../lib/stage.ts'
import { callWorker, startWorker } from '../lib/worker-call.ts'

const FILES = 1_000
const FILE_BYTES = 10 * 1024
const MANY = 20_000
const MANY_BYTES = 512

const addFolder: Case = {
  name: 'add-folder',
  title: `Add a folder of ${FILES} × 10 KiB`,
  unit: 'files/s',
  better: 'more',
  aims: [{ of: 'stock', is: 'at least', value: 8 }],
  rounds: 5,
  warmups: 1,
  async open(stage) {
    await stage.forget(stage.appUrl)
    const nothing = await stage.file('nothing', 1)
    return {
      ours: ours(stage),
      ceiling: [library(stage, nothing, ['startInMemory', 'addFolder'], 'stock Helia, blocks in memory, in a worker')],
      stock: library(stage, nothing, ['start', 'addFolder'], 'stock Helia, blockstore-idb, in a worker'),
      notes: () => ['Each run begins with an empty store and new content; ours ends with a strict commit.'],
      close: async () => stage.forget(stage.appUrl),
    }
  },
}

const addMany: Case = {
  name: 'add-many',
  title: `Add a folder of ${MANY} files`,
  unit: 'ms',
  better: 'less',
  rounds: 3,
  warmups: 0,
  minutes: 1,
  async open(stage) {
    await stage.forget(stage.appUrl)
    const readMs: number[] = []
    return {
      ours: {
        label: `add() from a page, ${MANY_BYTES} bytes each`,
        async run() {
          const page = await openBarePage(stage.context, stage)
          const node = await connectNode(page)
          const { ms, read } = await page.evaluate(addAndRead, { node, files: MANY, bytes: MANY_BYTES })
          readMs.push(read)
          await stage.forget(stage.appUrl)
          return ms
        },
      },
      notes: () => [
        `Checked after each: stat() of the folder, ls() of all ${MANY} entries, cat() of one by its path; together ` +
          `${readMs.map(Math.round).join(', ')} ms.`,
      ],
      close: async () => stage.forget(stage.appUrl),
    }
  },
}

export const folder: Case[] = [addFolder, addMany]

function ours(stage: Stage): Measure {
  return {
    label: 'add() from a page',
    async run() {
      const page = await openBarePage(stage.context, stage)
      const node = await connectNode(page)
      const { ms } = await page.evaluate(addAndRead, { node, files: FILES, bytes: FILE_BYTES })
      await stage.forget(stage.appUrl)
      return FILES / (ms / 1000)
    },
  }
}

function library(stage: Stage, path: string, operations: string[], label: string): Measure {
  return {
    label,
    async run() {
      const page = await stage.context.newPage()
      await page.goto(stage.benchUrl)
      const worker = await startWorker(page, 'stock')
      const file = await pickFile(page, path)
      let ms = 0
      for (const operation of operations) ms = await callWorker(page, worker, operation, file)
      await stage.forget(stage.benchUrl)
      return FILES / (ms / 1000)
    },
  }
}

/** Runs in a page: nothing outside of it is there. Resolves with ms of the add, and of what is asked of the folder after it. */
async function addAndRead(given: {
  node: PocketNode
  files: number
  bytes: number
}): Promise<{ ms: number; read: number }> {
  const { node, files, bytes } = given
  const entries = Array.from({ length: files }, (_, index) => ({
    path: `folder/${index}.bin`,
    content: new Blob([crypto.getRandomValues(new Uint8Array(bytes))]),
  }))
  const start = performance.now()
  const added = await node.add(entries)
  const ms = performance.now() - start
  if (added.files !== files) throw new Error(`added ${added.files} of ${files} files`)

  const begin = performance.now()
  const { type, local } = await node.stat(added.cid)
  if (type !== 'directory' || !local.complete)
    throw new Error(`stat() of the folder: ${type}, ${local.bytes} bytes here`)
  let listed = 0
  for await (const entry of node.ls(added.cid)) listed += entry.size === bytes ? 1 : 0
  if (listed !== files) throw new Error(`ls() of the folder: ${listed} of ${files} files`)
  const one = entries[files >> 1]
  const got = await new Response(node.cat(`${added.cid}/${files >> 1}.bin`)).arrayBuffer()
  const want = new Uint8Array((await one?.content.arrayBuffer()) ?? new ArrayBuffer())
  if (got.byteLength !== bytes || !new Uint8Array(got).every((byte, at) => byte === want[at])) {
    throw new Error('cat() of a file gave other bytes')
  }
  return { ms, read: performance.now() - begin }
}
