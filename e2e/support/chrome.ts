/** What a phone's system does to a browser, done to Chromium through its DevTools. */
import type { BrowserContext, Page } from '@playwright/test'
import type { Cdp, CdpSession, TargetInfo } from './cdp.ts'

/** Playwright's own ids do not name targets; the browser's do. */
export async function targetOf(page: Page): Promise<TargetInfo> {
  const session = await page.context().newCDPSession(page)
  try {
    return (await session.send('Target.getTargetInfo')).targetInfo
  } finally {
    await session.detach()
  }
}

/** Shared and service workers of one phone. */
export async function workersOf(cdp: Cdp, browserContextId: string, type: string): Promise<TargetInfo[]> {
  return (await cdp.targets()).filter((target) => target.type === type && target.browserContextId === browserContextId)
}

/**
 * Ends the shared workers of a phone as the system does: no event, silent ports. Resolves with how many there were.
 * No session may be attached to them, else the replacement starts paused.
 */
export async function killSharedWorkers(cdp: Cdp, browserContextId: string): Promise<number> {
  const workers = await workersOf(cdp, browserContextId, 'shared_worker')
  for (const { targetId } of workers) await cdp.send('Target.closeTarget', { targetId })
  return workers.length
}

/** Freezes a page as Chrome on Android does some minutes after it was hidden, or thaws it. */
export async function setFrozen(page: Page, frozen: boolean): Promise<void> {
  const session = await page.context().newCDPSession(page)
  try {
    await session.send('Page.setWebLifecycleState', { state: frozen ? 'frozen' : 'active' })
  } finally {
    await session.detach()
  }
}

/** Puts the wall clock of the shared workers forward. */
export async function skewClocks(cdp: Cdp, browserContextId: string, ms: number): Promise<void> {
  const expression = `{ const now = Date.now; Date.now = () => now() + ${ms} }`
  for (const { targetId } of await workersOf(cdp, browserContextId, 'shared_worker')) {
    const session = await cdp.attach(targetId)
    await session.send('Runtime.evaluate', { expression })
    // A session that stays would pause the worker's successor.
    await session.detach()
  }
}

/**
 * Bytes that the page's origin may store. Enforced, yet not shown by `estimate()`. Resolves with what lifts the limit;
 * it ends with the page too.
 */
export async function overrideQuota(page: Page, quotaSize: number): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page)
  await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(page.url()).origin, quotaSize })
  return () => session.detach()
}

export interface OfflineSwitch {
  set(offline: boolean): Promise<void>
}

const OFFLINE = { offline: true, latency: 0, downloadThroughput: -1, uploadThroughput: -1 }

/**
 * The aeroplane mode of one phone. What is set on a page does not reach its workers, so each shared and service worker,
 * those that begin meanwhile included, is told by a session of its own.
 */
export function offlineSwitch(cdp: Cdp, context: BrowserContext, browserContextId: string): OfflineSwitch {
  const sessions = new Map<string, Promise<CdpSession>>()
  let offline = false
  const reach = async (target: TargetInfo): Promise<void> => {
    if (!offline || target.browserContextId !== browserContextId || sessions.has(target.targetId)) return
    if (target.type !== 'shared_worker' && target.type !== 'service_worker') return
    const attached = cdp.attach(target.targetId)
    sessions.set(target.targetId, attached)
    const session = await attached
    await session.send('Network.enable')
    await session.send('Network.emulateNetworkConditions', OFFLINE)
  }
  // A worker that ends while it is being told has no network either.
  cdp.onTarget((target) => void reach(target).catch(() => undefined))
  return {
    set: async (value) => {
      offline = value
      await context.setOffline(value)
      if (value) {
        await Promise.all((await cdp.targets()).map(reach))
        return
      }
      // The emulation ends with its session.
      for (const attached of sessions.values())
        await attached.then((session) => session.detach()).catch(() => undefined)
      sessions.clear()
    },
  }
}
