/** A phone: a browser with storage of its own, and what a person or the system does to it. */
import { devices, type Browser, type BrowserContext, type Page } from '@playwright/test'
import type { Cdp } from './cdp.ts'
import { killSharedWorkers, offlineSwitch, overrideQuota, setFrozen, skewClocks, targetOf } from './chrome.ts'
import { launchOwnChromium } from './own-chromium.ts'

export interface PhoneOptions {
  /** A Playwright device descriptor. Default: the project's own. */
  device?: string
  /** Path and fragment that the first page opens. Default `/`. */
  path?: string
  /** Granted to the app; default: all that it may ask for. What is not granted is denied without a question. */
  permissions?: string[]
  /** Runs in every page before its own scripts, to take an API away for example. */
  initScript?: () => void
  /** As `initScript`, in the worker that runs the node. */
  workerScript?: () => void
  /**
   * A browser process of its own. Its pages can be frozen, and are hidden when another comes to the front; of the
   * device it has the size alone.
   */
  ownBrowser?: boolean
  /** Why the invariants do not hold for this phone in this test; they are then not checked. */
  exempt?: string
}

export interface Phone {
  readonly name: string
  readonly context: BrowserContext
  /** The first page. */
  readonly page: Page
  readonly appUrl: string
  readonly exempt: string | undefined
  /** Uncaught errors of its pages and refusals of their Content Security Policy. */
  readonly errors: string[]
  /** All console lines of its pages, for a failure's message. */
  readonly log: string[]
  /** Another tab on the same phone. */
  openPage(path?: string): Promise<Page>
  /** Aeroplane mode for pages and workers alike. */
  setOffline(offline: boolean): Promise<void>
  /** Kills the shared worker without an event, as the system may. Resolves with how many there were. */
  killSharedWorkers(): Promise<number>
  /** Only with `ownBrowser`. Default: the first page. */
  freeze(page?: Page): Promise<void>
  thaw(page?: Page): Promise<void>
  /** Puts the wall clock of the shared workers forward, as if the phone had slept. */
  skewClock(ms: number): Promise<void>
  /** Bytes that the app's origin may store from now on; undefined lifts the limit. Ends with the first page. */
  overrideQuota(bytes: number | undefined): Promise<void>
  close(): Promise<void>
}

export interface PhoneParts {
  /** The shared browser, its DevTools, and the device of the project. */
  browser: Browser
  cdp: Cdp
  device: string
  appUrl: string
}

/** What the receiver's and the sender's system would ask about, answered with yes. */
const PERMISSIONS = ['clipboard-read', 'clipboard-write', 'camera', 'notifications']

export async function openPhone(name: string, parts: PhoneParts, options: PhoneOptions = {}): Promise<Phone> {
  const { appUrl } = parts
  const device = descriptor(options.device ?? parts.device)
  const { context, cdp, close } = options.ownBrowser
    ? await launchOwnChromium()
    : await contextOf(parts.browser, parts.cdp, device)
  try {
    await context.grantPermissions(options.permissions ?? PERMISSIONS, { origin: appUrl })
    if (options.initScript !== undefined) await context.addInitScript(options.initScript)
    if (options.workerScript !== undefined) await prefixWorker(context, appUrl, options.workerScript)
    const errors: string[] = []
    const log: string[] = []
    context.on('weberror', (event) => errors.push(event.error().stack ?? String(event.error())))
    context.on('console', (message) => {
      log.push(`[${name}] ${message.type()}: ${message.text()}`)
      if (message.type() === 'error' && message.text().includes('Content Security Policy')) errors.push(message.text())
    })
    const openPage = async (path = '/'): Promise<Page> => {
      const page = await context.newPage()
      if (options.ownBrowser) await page.setViewportSize(device.viewport)
      await page.goto(new URL(path, appUrl).href)
      return page
    }
    const page = await openPage(options.path)
    const { browserContextId = '' } = await targetOf(page)
    const network = offlineSwitch(cdp, context, browserContextId)
    let liftQuota = async (): Promise<void> => {}
    const freeze = async (target: Page, frozen: boolean): Promise<void> => {
      if (!options.ownBrowser) throw new Error('Only a phone with `ownBrowser` can be frozen')
      await setFrozen(target, frozen)
    }
    return {
      name,
      context,
      page,
      appUrl,
      exempt: options.exempt,
      errors,
      log,
      openPage,
      close,
      setOffline: (offline) => network.set(offline),
      killSharedWorkers: () => killSharedWorkers(cdp, browserContextId),
      freeze: (target = page) => freeze(target, true),
      skewClock: (ms) => skewClocks(cdp, browserContextId, ms),
      thaw: (target = page) => freeze(target, false),
      overrideQuota: async (bytes) => {
        await liftQuota()
        liftQuota = bytes === undefined ? async () => {} : await overrideQuota(page, bytes)
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Init scripts reach pages only; the worker's script gets it in front of itself. */
async function prefixWorker(context: BrowserContext, appUrl: string, script: () => void): Promise<void> {
  await context.route(new URL('/node.js', appUrl).href, async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, body: `;(${script.toString()})();${await response.text()}` })
  })
}

type Device = Omit<(typeof devices)[string], 'defaultBrowserType'>

/** Every descriptor runs in Chromium here: its size, touch and user agent count, not its engine. */
function descriptor(name: string): Device {
  const found = devices[name]
  if (found === undefined) throw new Error(`Playwright knows no device ${name}`)
  const { defaultBrowserType: _, ...device } = found
  return device
}

async function contextOf(
  browser: Browser,
  cdp: Cdp,
  device: Device,
): Promise<{ context: BrowserContext; cdp: Cdp; close: () => Promise<void> }> {
  const context = await browser.newContext(device)
  return { context, cdp, close: () => context.close() }
}
