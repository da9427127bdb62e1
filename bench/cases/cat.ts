/** A file of the node, read to its end by a page. */
import type { Case, Measure } from '../lib/case.ts'
import { createCpuMeter, type CpuMeter } from '../lib/cpu.ts'
import { connectNode, openBarePage, pickFile } from '../lib/node-page.ts'
import type { Stage } from '../lib/stage.ts'
import { mibPerSecond, MiB } from '../lib/units.ts'
import { callWorker, startWorker } from '../lib/worker-call.ts'

export const BYTES = 100 * MiB

export const cat: Case = {
  name: 'cat',
  title: 'Read a file of 100 MiB',
  unit: 'MiB/s',
  better: 'more',
  aims: [{ of: 'stock', is: 'at least', value: 2 }],
  rounds: 5,
  warmups: 1,
  async open(stage) {
    const path = await stage.file('cat', BYTES)
    const cpu = createCpuMeter(stage.cdp)
    return {
      ours: metered(cpu, 'ours', await nodeReader(stage, path)),
      ceiling: [
        await libraryReader(stage, path, 'raw', 'store', 'read', 'slices of a Blob in IndexedDB, 1 MiB, 8 at once'),
        metered(
          cpu,
          'raw',
          await libraryReader(stage, path, 'raw', 'store', 'readLarge', 'the same, 8 MiB, 2 at once'),
        ),
      ],
      stock: await libraryReader(stage, path, 'stock', 'add', 'cat', 'stock Helia, blockstore-idb, in a worker'),
      notes: () => [
        `CPU of all processes for one run: ours ${Math.round(cpu.median('ours'))} ms, raw ${Math.round(cpu.median('raw'))} ms.`,
        'Ours crosses from the worker to the page; the ceiling and stock Helia stay in their worker.',
      ],
      async close() {
        await stage.forget(stage.appUrl)
        await stage.forget(stage.benchUrl)
      },
    }
  },
}

function metered(cpu: CpuMeter, name: string, measure: Measure): Measure {
  return { label: measure.label, run: (round) => cpu.during(name, () => measure.run(round)) }
}

/** `cat()` of the file, added before. */
export async function nodeReader(stage: Stage, path: string): Promise<Measure> {
  await stage.forget(stage.appUrl)
  const page = await openBarePage(stage.context, stage)
  const node = await connectNode(page)
  const file = await pickFile(page, path)
  const cid = await page.evaluate(async ({ node, file }) => (await node.add(file)).cid, { node, file })
  return {
    label: 'cat() to a page',
    async run() {
      const ms = await page.evaluate(
        async ({ node, cid, bytes }) => {
          const start = performance.now()
          const reader = node.cat(cid).getReader()
          let total = 0
          for (;;) {
            const { done, value } = await reader.read()
            if (done) break
            total += value.byteLength
          }
          if (total !== bytes) throw new Error(`read ${total} of ${bytes} bytes`)
          return performance.now() - start
        },
        { node, cid, bytes: BYTES },
      )
      return mibPerSecond(BYTES, ms)
    },
  }
}

/** The same by a worker of bench/pages. */
export async function libraryReader(
  stage: Stage,
  path: string,
  name: 'raw' | 'stock',
  prepare: string,
  operation: string,
  label: string,
): Promise<Measure> {
  const page = await stage.context.newPage()
  await page.goto(stage.benchUrl)
  const worker = await startWorker(page, name)
  const file = await pickFile(page, path)
  await callWorker(page, worker, prepare, file)
  return {
    label,
    run: async () => mibPerSecond(BYTES, await callWorker(page, worker, operation, file)),
  }
}
