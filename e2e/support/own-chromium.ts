/**
 * A Chromium process with a profile of its own, for what a context of the shared browser cannot do: be frozen (Playwright
 * emulates focus in its contexts, and a page in focus is never frozen), or be killed and find its storage again.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type BrowserContext } from '@playwright/test'
import { chromiumLaunch } from './browser.ts'
import { connectCdp, type Cdp } from './cdp.ts'
import { startServer } from './process.ts'

export interface OwnChromium {
  readonly context: BrowserContext
  readonly cdp: Cdp
  /** Ends it and removes its profile, unless that was given. */
  close: () => Promise<void>
  /** SIGKILL to all of its processes, as a phone's system does when memory is short. The profile stays until `close`. */
  kill: () => Promise<void>
}

export interface OwnChromiumOptions {
  /** A folder that outlives this process, for another that goes on with its storage. */
  profile?: string
}

const START_MS = 30_000

export async function launchOwnChromium(options: OwnChromiumOptions = {}): Promise<OwnChromium> {
  const profile = options.profile ?? (await mkdtemp(join(tmpdir(), 'pocket-chromium-')))
  const { executablePath, args } = chromiumLaunch()
  let endpoint = ''
  const undo: (() => Promise<void>)[] = []
  if (options.profile === undefined) {
    undo.push(() => rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }))
  }
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const server = await startServer({
      command: executablePath,
      args: [...args, '--headless=new', `--user-data-dir=${profile}`, '--remote-debugging-port=0', 'about:blank'],
      ready: (line) => {
        endpoint = /DevTools listening on (ws:\S+)/.exec(line)?.[1] ?? ''
        return endpoint !== ''
      },
      timeoutMs: START_MS,
    })
    undo.push(() => server.stop())
    const browser = await chromium.connectOverCDP(endpoint, { noDefaults: true })
    undo.push(() => browser.close())
    const [context] = browser.contexts()
    if (context === undefined) throw new Error('Chromium has no default context')
    const cdp = await connectCdp(Number(new URL(endpoint).port))
    undo.push(async () => cdp.close())
    return { context, cdp, close, kill: () => server.kill() }
  } catch (error) {
    await close()
    throw error
  }
}
