/** A phone with storage of its own that is killed again and again, in each of the ways that a system has. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { killSharedWorkers, targetOf } from './chrome.ts'
import { holdNode, type HeldNode } from './held-node.ts'
import { launchOwnChromium, type OwnChromium } from './own-chromium.ts'

/**
 * - `page`: it crashes, and takes with it the shared worker of its process
 * - `worker`: the system ends the shared worker; the page stays
 * - `browser`: SIGKILL to all processes
 */
export type KillKind = 'page' | 'worker' | 'browser'

export const KILL_KINDS: KillKind[] = ['page', 'worker', 'browser']

export interface KilledPhone {
  /** The app's page and a client in it: others after each kill. */
  readonly page: Page
  readonly node: HeldNode
  /** Puts a file of this disk into a file input. Playwright's own way sends its bytes, or waits for ever. */
  pick(selector: string, path: string): Promise<void>
  /** Kills it and opens the app again. */
  kill(kind: KillKind): Promise<void>
  close(): Promise<void>
}

export async function openKilledPhone(appUrl: string): Promise<KilledPhone> {
  const profile = await mkdtemp(join(tmpdir(), 'pocket-killed-'))
  let chromium: OwnChromium | undefined
  let page: Page
  let node: HeldNode

  async function open(browser: OwnChromium): Promise<void> {
    page = await browser.context.newPage()
    await page.goto(appUrl)
    node = await holdNode(page)
  }
  async function launch(): Promise<OwnChromium> {
    chromium = await launchOwnChromium({ profile })
    await open(chromium)
    return chromium
  }
  async function crash(browser: OwnChromium): Promise<void> {
    const crashed = page.waitForEvent('crash')
    const session = await browser.context.newCDPSession(page)
    // It never answers.
    session.send('Page.crash').catch(() => undefined)
    await crashed
    const dead = page
    await open(browser)
    await dead.close()
  }
  const close = async (): Promise<void> => {
    await chromium?.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }

  let running: OwnChromium
  try {
    running = await launch()
  } catch (error) {
    await close()
    throw error
  }
  return {
    get page() {
      return page
    },
    get node() {
      return node
    },
    async pick(selector, path) {
      const session = await running.context.newCDPSession(page)
      try {
        const { root } = await session.send('DOM.getDocument')
        const { nodeId } = await session.send('DOM.querySelector', { nodeId: root.nodeId, selector })
        await session.send('DOM.setFileInputFiles', { nodeId, files: [path] })
      } finally {
        await session.detach()
      }
    },
    async kill(kind) {
      if (kind === 'page') return crash(running)
      if (kind === 'worker') {
        const { browserContextId = '' } = await targetOf(page)
        if ((await killSharedWorkers(running.cdp, browserContextId)) === 0) throw new Error('No worker to kill')
        return
      }
      await running.kill()
      await running.close()
      running = await launch()
    },
    close,
  }
}
