/** The app's store, filled from a page of its origin before the node starts. */
import type { Page } from '@playwright/test'
import { openBarePage } from './node-page.ts'
import type { Stage } from './stage.ts'

interface StorePage {
  fillGarbage(count: number): Promise<void>
  fillPinned(leaves: number): Promise<void>
  untilPurged(): Promise<void>
}

/** Where the bench's own scripts are for the app's origin, which lets no others in. */
export const PREFIX = '/bench-pages'

export async function openStorePage(stage: Stage): Promise<Page> {
  const page = await openBarePage(stage.context, stage)
  await lendScripts(page, stage)
  return page
}

/** Lets a page of the app's origin import the bench's own scripts from `/bench-pages/`. */
export async function lendScripts(page: Page, stage: Stage): Promise<void> {
  await page.route(`${stage.appUrl}${PREFIX}/**`, async (route) => {
    const { pathname } = new URL(route.request().url())
    const script = await fetch(`${stage.benchUrl}${pathname.slice(PREFIX.length)}`)
    await route.fulfill({ contentType: 'text/javascript', body: await script.text() })
  })
}

/** Runs one function of bench/pages/store in the page. */
export async function onStore(page: Page, name: keyof StorePage, count = 0): Promise<void> {
  await page.evaluate(
    async ({ url, name, count }) => {
      const store = (await import(url)) as StorePage
      await store[name](count)
    },
    { url: `${PREFIX}/store.js`, name, count },
  )
}

/** Fills the store and leaves nothing running. */
export async function fillStore(stage: Stage, name: 'fillGarbage' | 'fillPinned', count: number): Promise<void> {
  const page = await openStorePage(stage)
  await onStore(page, name, count)
  await page.close()
  await stage.workersGone(stage.appUrl)
}
