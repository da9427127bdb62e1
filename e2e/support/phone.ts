/** A phone: a browser context with storage of its own, and what a person or the system does to it. */
import { devices, type Browser, type BrowserContext, type Page } from '@playwright/test'
import type { Cdp } from './cdp.ts'
import { killSharedWorkers, offlineSwitch, overrideQuota, setFrozen, targetOf } from './chrome.ts'

export interface PhoneOptions {
  /** A Playwright device descriptor. Default: the project's own. */
  device?: string
  /** Path and fragment that the first page opens. Default `/`. */
  path?: string
  /** Runs in every page before its own scripts, to take an API away for example. */
  initScript?: () => void
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
  freeze(page?: Page): Promise<void>
  thaw(page?: Page): Promise<void>
  /** Bytes that the app's origin may store; undefined lifts the limit. */
  overrideQuota(bytes: number | undefined): Promise<void>
  close(): Promise<void>
}

/** What the receiver's and the sender's system would ask about, answered with yes. */
const PERMISSIONS = ['clipboard-read', 'clipboard-write', 'camera', 'notifications', 'persistent-storage']

export async function openPhone(
  name: string,
  parts: { browser: Browser; cdp: Cdp; appUrl: string; device: string },
  options: PhoneOptions = {},
): Promise<Phone> {
  const { browser, cdp, appUrl } = parts
  const descriptor = devices[options.device ?? parts.device]
  if (descriptor === undefined) throw new Error(`Playwright knows no device ${options.device ?? parts.device}`)
  // Every descriptor runs in Chromium here: its size, touch and user agent count, not its engine.
  const { defaultBrowserType: _, ...device } = descriptor
  const context = await browser.newContext({ ...device, acceptDownloads: true })
  await grant(context, appUrl)
  if (options.initScript !== undefined) await context.addInitScript(options.initScript)

  const errors: string[] = []
  const log: string[] = []
  context.on('weberror', (event) => errors.push(String(event.error().stack ?? event.error())))
  context.on('console', (message) => {
    log.push(`[${name}] ${message.type()}: ${message.text()}`)
    if (message.type() === 'error' && message.text().includes('Content Security Policy')) errors.push(message.text())
  })
  const openPage = async (path = '/'): Promise<Page> => {
    const page = await context.newPage()
    await page.goto(new URL(path, appUrl).href)
    return page
  }
  const page = await openPage(options.path)
  const { browserContextId = '' } = await targetOf(page)
  const network = offlineSwitch(cdp, context, browserContextId)
  return {
    name,
    context,
    page,
    appUrl,
    exempt: options.exempt,
    errors,
    log,
    openPage,
    setOffline: (offline) => network.set(offline),
    killSharedWorkers: () => killSharedWorkers(cdp, browserContextId),
    freeze: (target = page) => setFrozen(cdp, target, true),
    thaw: (target = page) => setFrozen(cdp, target, false),
    overrideQuota: (bytes) => overrideQuota(page, bytes),
    close: () => context.close(),
  }
}

async function grant(context: BrowserContext, origin: string): Promise<void> {
  await context.grantPermissions(PERMISSIONS, { origin })
}
