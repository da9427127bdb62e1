/** A file larger than a phone's memory through everything: added, sent to another phone, saved there. */
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { launchOwnChromium } from '../../e2e/support/own-chromium.ts'
import type { PocketNode } from '../../src/contract/node-api.ts'
import { needRoom, sha256OfFile, writeBigFile } from '../lib/big-file.ts'
import type { Case } from '../lib/case.ts'
import { heapDuring, type HeapPeaks } from '../lib/heap.ts'
import { peaksDuring, type Peaks } from '../lib/memory.ts'
import { connectNode, pickFile } from '../lib/node-page.ts'
import { checkReceived, connectDirectly, share } from '../lib/phone-calls.ts'
import type { Stage } from '../lib/stage.ts'
import { lendScripts, PREFIX } from '../lib/store-page.ts'
import { MiB } from '../lib/units.ts'

const BYTES = sizeOf(process.env.BENCH_BIG ?? '4GiB')
/** A look at every process takes some ms, and this goes on for minutes. */
const SAMPLE_MS = 100
/** The File, what both phones store, what is saved, and something for the rest. */
const DISK_BYTES = 4.1 * BYTES
/** Without a byte for so long a save has failed, in ms. */
const STALLED_MS = 30_000

export const big: Case = {
  name: 'big',
  title: `A file of ${BYTES / MiB} MiB added, sent and saved: memory over idle`,
  unit: 'MiB',
  better: 'less',
  aims: [{ of: 'ours', is: 'at most', value: 64 }],
  rounds: 1,
  minutes: 9,
  warmups: 0,
  async open(stage) {
    if (!existsSync('/proc/self/smaps_rollup')) throw new Error('only Linux tells how much memory a process takes')
    await needRoom(tmpdir(), DISK_BYTES)
    await stage.forget(stage.appUrl)
    const folder = await mkdtemp(join(tmpdir(), 'pocket-big-'))
    const notes: string[] = []
    return {
      ours: { label: 'the most of add, transfer and save', run: () => throughEverything(stage, folder, notes) },
      notes: () => [
        'Ours: objects and buffers of JavaScript, every 100 ms; the one of page, shared worker and service worker that grew most. ' +
          'They share a renderer process, whose memory (PSS) is told as well. ' +
          'Each phone is a Chromium of its own with its storage on the disk. The size: BENCH_BIG=512MiB, 4GiB, ….',
        ...notes,
      ],
      async close() {
        await rm(folder, { recursive: true, force: true })
        await stage.forget(stage.appUrl)
      },
    }
  },
}

async function throughEverything(stage: Stage, folder: string, notes: string[]): Promise<number> {
  const path = join(folder, 'big.bin')
  const sha256 = await writeBigFile(path, BYTES, 'big')
  const other = await launchOwnChromium()
  const most: number[] = []
  const tell = (what: string, phone: string, { ms, peaks, heaps }: Omit<Watched<unknown>, 'result'>): void => {
    most.push(...Object.values(heaps))
    notes.push(
      `${what}, ${phone}, ${Math.round(BYTES / MiB / (ms / 1000))} MiB/s: ${list(heaps)}; processes, the most of one by type: ` +
        `${list(peaks.byType)}; all together ${peaks.halves.map(Math.round).join(' in the first half, ')} in the second (MiB over idle).`,
    )
  }
  try {
    const [sender, receiver] = await Promise.all([other.context.newPage(), stage.context.newPage()])
    await Promise.all([sender.goto(stage.appUrl), receiver.goto(stage.appUrl)])
    const [from, to] = await Promise.all([connectNode(sender), connectNode(receiver)])
    await receiver.evaluate(async () => navigator.serviceWorker.ready)

    const file = await pickFile(sender, path)
    const added = await watched(other.cdp, stage, () => sender.evaluate(share, { node: from, file }))
    tell('Added', 'the sender', added)

    const { cid, url, peerId } = added.result
    await receiver.evaluate(connectDirectly, { node: to, url, peerId })
    const sent = await watched(other.cdp, stage, () =>
      watched(stage.cdp, stage, () =>
        receiver.evaluate(async ({ node, cid }) => void (await node.pin.add(cid)), { node: to, cid }),
      ),
    )
    await receiver.evaluate(checkReceived, { node: to, cid, peerId, bytes: BYTES })
    tell('Received', 'the receiver', sent.result)
    tell('Sent', 'the sender', { ...sent, ms: sent.result.ms })

    const downloads = join(folder, 'downloads')
    await stage.cdp.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: downloads })
    await lendScripts(receiver, stage)
    const saved = await watched(stage.cdp, stage, () => save(receiver, to, cid, downloads))
    tell('Saved', 'the receiver', saved)
    if ((await sha256OfFile(saved.result)) !== sha256) throw new Error('what was saved is not what was added')
    return Math.max(...most)
  } finally {
    await other.close()
    await rm(path, { force: true })
  }
}

interface Watched<T> {
  result: T
  ms: number
  peaks: Peaks
  heaps: HeapPeaks
}

async function watched<T>(cdp: Stage['cdp'], { appUrl }: Stage, work: () => Promise<T>): Promise<Watched<T>> {
  const results: T[] = []
  let ms = 0
  let heaps: HeapPeaks = {}
  const peaks = await peaksDuring(
    cdp,
    async () => {
      heaps = await heapDuring(
        cdp,
        appUrl,
        async () => {
          const start = performance.now()
          results.push(await work())
          ms = performance.now() - start
        },
        { sampleMs: SAMPLE_MS },
      )
    },
    { sampleMs: SAMPLE_MS },
  )
  const [result] = results as [T]
  return { result, ms, peaks, heaps }
}

function list(figures: Record<string, number>): string {
  return Object.entries(figures)
    .filter(([, mib]) => mib >= 1)
    .map(([name, mib]) => `${name.replaceAll('_', ' ')} ${Math.round(mib)}`)
    .join(', ')
}

/** Through the service worker to the downloads, as on a phone. Resolves with the path once all of it is there. */
async function save(
  page: Page,
  node: Awaited<ReturnType<typeof connectNode>>,
  cid: string,
  folder: string,
): Promise<string> {
  await page.evaluate(
    async ({ node, url, cid, size }) => {
      const { saveToDownloads } = (await import(url)) as {
        saveToDownloads: (node: PocketNode, file: { path: string; name: string; size: number }) => Promise<void>
      }
      await saveToDownloads(node, { path: cid, name: 'saved.bin', size })
    },
    { node, url: `${PREFIX}/save.js`, cid, size: BYTES },
  )
  let seen = 0
  for (let until = Date.now() + STALLED_MS; Date.now() < until;) {
    const [name] = existsSync(folder) ? await readdir(folder) : []
    const size = name === undefined ? 0 : (await stat(join(folder, name)).catch(() => ({ size: seen }))).size
    if (name === 'saved.bin' && size === BYTES) return join(folder, name)
    if (size > seen) until = Date.now() + STALLED_MS
    seen = size
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${seen} of ${BYTES} bytes were saved`)
}

function sizeOf(text: string): number {
  const [, count, unit] = /^(\d+)(MiB|GiB)$/.exec(text) ?? []
  if (count === undefined) throw new Error(`BENCH_BIG is not like 512MiB or 4GiB: ${text}`)
  return Number(count) * (unit === 'GiB' ? 1024 * MiB : MiB)
}
