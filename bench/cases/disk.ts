/** What a file takes on the disk. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext } from '@playwright/test'
import { randomFile } from '../../e2e/support/files.ts'
import { launchOwnChromium } from '../../e2e/support/own-chromium.ts'
import { createBlockSource } from '../../src/core/content/block-source.ts'
import { createBlockstore, createMemoryBlockTable } from '../../src/core/storage/index.ts'
import { addContent } from '../../test/support/node/add-content.ts'
import type { Case, Measure } from '../lib/case.ts'
import { indexedDbBytes } from '../lib/disk-use.ts'
import { openGateway } from '../lib/gateway.ts'
import { connectNode, openBarePage, pickFile } from '../lib/node-page.ts'
import type { Stage } from '../lib/stage.ts'
import { MiB } from '../lib/units.ts'
import { callWorker, startWorker } from '../lib/worker-call.ts'

const BYTES = 100 * MiB

export const disk: Case = {
  name: 'disk',
  title: 'Bytes on disk per byte of a file of 100 MiB',
  unit: 'B per B',
  better: 'less',
  aims: [{ of: 'ours', is: 'at most', value: 1.02 }],
  // It hardly varies, and a browser with a profile of its own is started twice for each.
  rounds: 1,
  minutes: 1.5,
  warmups: 0,
  async open(stage) {
    const path = await stage.file('disk', BYTES)
    const blocks = await createBlockstore(createMemoryBlockTable(undefined, { maxBytes: 1024 ** 3 }))
    const init = { blocks, signal: new AbortController().signal, onProgress: () => undefined }
    const { cid } = await addContent(new Uint8Array(randomFile(BYTES, 'disk').buffer), init)
    const gateway = await openGateway(createBlockSource({ networked: blocks, local: blocks }))
    const first: string[] = []
    const measure = (label: string, fill: (context: BrowserContext) => Promise<void>, origin: string): Measure => ({
      label,
      async run() {
        const { atOnce, settled } = await onDisk(origin, fill)
        first.push(`${label} ${(atOnce / BYTES).toFixed(3)}`)
        return settled / BYTES
      },
    })
    return {
      ours: measure('add(), 1 MiB leaves', (context) => add(context, stage, path), stage.appUrl),
      ceiling: [{ label: 'the bytes', run: async () => 1 }],
      stock: measure(
        'stock Helia, blockstore-idb, 1 MiB',
        (context) => addStock(context, stage, path, 'add'),
        stage.benchUrl,
      ),
      beside: [
        measure(
          'stock Helia, blockstore-idb, 256 KiB',
          (context) => addStock(context, stage, path, 'addSmallChunks'),
          stage.benchUrl,
        ),
        measure(
          'received: pin.add() from a gateway',
          (context) => receive(context, stage, { cid: cid.toString(), url: gateway.url }),
          stage.appUrl,
        ),
      ],
      notes: () => [
        'The IndexedDB folder of a new profile (disk blocks, all databases) after the browser was closed, started once more, and closed. ' +
          `After the first close: ${first.join('; ')}.`,
      ],
      close: async () => gateway.close(),
    }
  },
}

/** Bytes right after the work and a clean end of the browser, and once it has looked after its databases again. */
async function onDisk(
  origin: string,
  fill: (context: BrowserContext) => Promise<void>,
): Promise<{ atOnce: number; settled: number }> {
  const profile = await mkdtemp(join(tmpdir(), 'pocket-disk-'))
  try {
    const session = async (work: (context: BrowserContext) => Promise<void>): Promise<number> => {
      const browser = await launchOwnChromium({ profile })
      try {
        await work(browser.context)
        const session = await browser.context.newCDPSession(await browser.context.newPage())
        // The databases close with the last page of the origin; Chromium writes what is left when it is asked to end.
        for (const page of browser.context.pages()) if (page.url().startsWith(origin)) await page.close()
        await session.detach()
      } finally {
        await browser.close()
      }
      return indexedDbBytes(profile)
    }
    const atOnce = await session(fill)
    const settled = await session(async (context) => {
      const page = await context.newPage()
      await page.goto(`${origin}/`)
      await page.evaluate(async () => {
        for (const { name = '' } of await indexedDB.databases()) {
          await new Promise<void>((resolve, reject) => {
            const request = indexedDB.open(name)
            request.onerror = () => reject(request.error ?? new Error(`${name} does not open`))
            request.onsuccess = () => {
              request.result.close()
              resolve()
            }
          })
        }
      })
    })
    return { atOnce, settled }
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

async function add(context: BrowserContext, stage: Stage, path: string): Promise<void> {
  const page = await openBarePage(context, stage)
  const node = await connectNode(page)
  const file = await pickFile(page, path)
  await page.evaluate(
    async ({ node, file }) => {
      const { size } = await node.add(file)
      if (size !== file.size) throw new Error(`added ${size} of ${file.size} bytes`)
    },
    { node, file },
  )
}

async function addStock(context: BrowserContext, stage: Stage, path: string, operation: string): Promise<void> {
  const page = await context.newPage()
  await page.goto(stage.benchUrl)
  const worker = await startWorker(page, 'stock')
  await callWorker(page, worker, operation, await pickFile(page, path))
}

async function receive(context: BrowserContext, stage: Stage, given: { cid: string; url: string }): Promise<void> {
  const page = await openBarePage(context, stage)
  const node = await connectNode(page)
  await page.evaluate(
    async ({ node, cid, url }) => {
      await node.pin.add(cid, { from: [url] })
      if (!(await node.stat(cid)).local.complete) throw new Error('not all is here')
    },
    { node, ...given },
  )
}
