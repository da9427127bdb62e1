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
  title: `A file of ${BYTES / MiB} MiB added, sent and saved: memory of one process over idle`,
  unit: 'MiB',
  better: 'less',
  aims: [{ of: 'ours', is: 'at most', value: 64 }],
  rounds: 1,
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
        'Looked at every 100 ms (PSS): the process of a phone that grew most. Page, shared worker and service worker share renderer processes. ' +
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
  const tell = (what: string, phone: string, ms: number, { all, byType }: Peaks): void => {
    most.push(Math.max(...Object.values(byType)))
    const each = Object.entries(byType).map(([type, peak]) => `${type} ${Math.round(peak)}`)
    notes.push(
      `${what}, ${phone}: ${Math.round(BYTES / MiB / (ms / 1000))} MiB/s; all processes together ${Math.round(all)} MiB over idle; ` +
        `the most of one by type: ${each.join(', ')} MiB.`,
    )
  }
  try {
    const [sender, receiver] = await Promise.all([other.context.newPage(), stage.context.newPage()])
    await Promise.all([sender.goto(stage.appUrl), receiver.goto(stage.appUrl)])
    const [from, to] = await Promise.all([connectNode(sender), connectNode(receiver)])
    await receiver.evaluate(async () => navigator.serviceWorker.ready)

    const file = await pickFile(sender, path)
    const added = await timed(() => sender.evaluate(share, { node: from, file }), other.cdp)
    tell('Added', 'the sender', added.ms, added.peaks)

    const { cid, url, peerId } = added.result
    await receiver.evaluate(connectDirectly, { node: to, url, peerId })
    let sending: Peaks | undefined
    const sent = await timed(async () => {
      sending = await peaksDuring(
        other.cdp,
        () => receiver.evaluate(async ({ node, cid }) => void (await node.pin.add(cid)), { node: to, cid }),
        { sampleMs: SAMPLE_MS },
      )
    }, stage.cdp)
    await receiver.evaluate(checkReceived, { node: to, cid, peerId, bytes: BYTES })
    tell('Received', 'the receiver', sent.ms, sent.peaks)
    if (sending !== undefined) tell('Sent', 'the sender', sent.ms, sending)

    const downloads = join(folder, 'downloads')
    await stage.cdp.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: downloads })
    await lendScripts(receiver, stage)
    const saved = await timed(() => save(receiver, to, cid, downloads), stage.cdp)
    tell('Saved', 'the receiver', saved.ms, saved.peaks)
    if ((await sha256OfFile(saved.result)) !== sha256) throw new Error('what was saved is not what was added')
    return Math.max(...most)
  } finally {
    await other.close()
    await rm(path, { force: true })
  }
}

async function timed<T>(work: () => Promise<T>, cdp: Stage['cdp']): Promise<{ result: T; ms: number; peaks: Peaks }> {
  const results: T[] = []
  let ms = 0
  const peaks = await peaksDuring(
    cdp,
    async () => {
      const start = performance.now()
      results.push(await work())
      ms = performance.now() - start
    },
    { sampleMs: SAMPLE_MS },
  )
  const [result] = results as [T]
  return { result, ms, peaks }
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
