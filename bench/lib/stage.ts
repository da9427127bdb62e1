/** What all cases share: one Chromium with its profile on the disk, the app as `npm start` serves it, and the bench's own pages. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from '@playwright/test'
import type { Cdp } from '../../e2e/support/cdp.ts'
import { targetOf } from '../../e2e/support/chrome.ts'
import { startCompanion } from '../../e2e/support/companion.ts'
import { randomFile } from '../../e2e/support/files.ts'
import { launchOwnChromium } from '../../e2e/support/own-chromium.ts'
import { serveStatic } from '../../e2e/support/static-server.ts'
import { buildPages } from './build-pages.ts'

/** How long a shared worker may outlive its last page, in ms. */
const GONE_MS = 10_000

export interface Stage {
  /** Storage on the disk, as on a phone. (The storage of any other context is in memory.) */
  readonly context: BrowserContext
  readonly browser: Browser
  readonly cdp: Cdp
  readonly appUrl: string
  /** An origin of the bench's own, with an empty page and the scripts of bench/pages. */
  readonly benchUrl: string
  /** The companion's multiaddr: a circuit relay. */
  readonly relay: string
  readonly browserVersion: string
  /** A real file with random content, the same for the same seed. Resolves with its path. */
  file(seed: string, bytes: number): Promise<string>
  /**
   * Closes the pages of an origin in the context with the disk, and with them its workers, and removes what it stored,
   * caches included.
   */
  forget(origin: string): Promise<void>
  /** Resolves when no shared worker of the origin runs in the context with the disk. */
  workersGone(origin: string): Promise<void>
  /** Says what is going on, on stderr. */
  log: (line: string) => void
  close(): Promise<void>
}

export async function openStage(log: (line: string) => void): Promise<Stage> {
  const undo: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const folder = await mkdtemp(join(tmpdir(), 'pocket-bench-'))
    undo.push(() => rm(folder, { recursive: true, force: true }))
    log('building the pages of the bench')
    const server = await serveStatic(await buildPages(join(folder, 'pages')))
    undo.push(() => server.stop())
    const companion = await startCompanion()
    undo.push(() => companion.remove())
    const { context, cdp, close: closeChromium } = await launchOwnChromium()
    undo.push(closeChromium)
    const browser = context.browser()
    if (browser === null) throw new Error('Chromium has no browser object')
    const browserContextId = await contextIdOf(context)
    const workersGone = async (origin: string): Promise<void> => {
      const until = Date.now() + GONE_MS
      for (;;) {
        const running = (await cdp.targets()).filter(
          (target) =>
            target.type === 'shared_worker' &&
            target.browserContextId === browserContextId &&
            target.url.startsWith(`${origin}/`),
        )
        if (running.length === 0) return
        if (Date.now() > until) throw new Error(`${running[0]?.url ?? ''} still runs ${GONE_MS} ms after its last page`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    return {
      context,
      browser,
      cdp,
      appUrl: companion.url,
      benchUrl: server.url,
      relay: companion.multiaddr,
      browserVersion: (await cdp.send<{ product: string }>('Browser.getVersion')).product,
      log,
      workersGone,
      close,
      async file(seed, bytes) {
        const path = join(folder, `${seed}.bin`)
        await writeFile(path, randomFile(bytes, seed).buffer)
        return path
      },
      async forget(origin) {
        // The browser would end with its last page.
        const blank = await context.newPage()
        for (const page of context.pages()) if (isOf(page, origin)) await page.close()
        await workersGone(origin)
        const session = await context.newCDPSession(blank)
        await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' })
        await session.send('Network.clearBrowserCache')
        await blank.close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

function isOf(page: Page, origin: string): boolean {
  return page.url().startsWith(`${origin}/`)
}

async function contextIdOf(context: BrowserContext): Promise<string | undefined> {
  const page = await context.newPage()
  const { browserContextId } = await targetOf(page)
  await page.close()
  return browserContextId
}
