/** The app around the screens: theme, settings that hold, installing, updates. */
import { en } from '../../src/app/strings/en.ts'
import { expect, shellReady, test } from '../support/fixtures.ts'
import { startProxy } from '../support/next-version.ts'
import { textFile, tile } from '../support/screens.ts'

test('the theme holds over a reload; the relay of the site is not the person’s', async ({ phone }) => {
  const { page } = await phone('phone', { path: '/#/settings' })
  await page.getByRole('radio', { name: en.settings.themes.dark }).check()
  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await expect(page.getByText(en.settings.relayOfSite).first()).toBeVisible()
  const relay = '/ip4/127.0.0.1/tcp/1/ws/p2p/12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo'
  await page.getByRole('textbox', { name: en.settings.relayAddress }).fill(relay)
  await page.getByRole('button', { name: en.settings.addRelay }).click()
  await page.getByRole('button', { name: en.settings.removeRelay(relay) }).click()
  await expect(page.getByTestId('notice')).toHaveText(en.settings.relayRemoved)
  await expect(page.getByRole('button', { name: /Remove relay/ })).toHaveCount(0)
  await expect(page.getByText(en.settings.relayOfSite).first()).toBeVisible()
})

test('installing is offered once there is something, and never again after no', async ({ phone }) => {
  const { page } = await phone('phone')
  await page.getByTestId('empty').waitFor()
  const offer = page.getByTestId('install-offer')
  const browserOffers = (): Promise<boolean> => page.evaluate(() => dispatchEvent(new Event('beforeinstallprompt')))
  await browserOffers()
  await expect(offer).toHaveCount(0)
  await page.getByTestId('pick-files').setInputFiles(textFile('a.txt', 'a'))
  await expect(offer).toBeVisible()
  await offer.getByRole('button', { name: en.banner.notNow }).click()
  await expect(offer).toHaveCount(0)
  await page.reload()
  await tile(page, 'a.txt').waitFor()
  await browserOffers()
  await expect(offer).toHaveCount(0)
})

test('what is here opens without a network, also where no service worker keeps the app', async ({ phone }) => {
  const device = await phone('phone', {
    initScript: () => {
      if (!isSecureContext) return
      ServiceWorkerContainer.prototype.register = () => Promise.reject(new DOMException('Refused', 'SecurityError'))
    },
  })
  const { page } = device
  await page.getByTestId('pick-files').setInputFiles(textFile('a.txt', 'all of it'))
  await tile(page, 'a.txt').waitFor()
  await page.waitForFunction(() =>
    performance.getEntriesByType('resource').some(({ name }) => name.includes('/ItemScreen-')),
  )
  await device.setOffline(true)
  await tile(page, 'a.txt').click()
  await expect(page.getByTestId('preview')).toContainText('all of it')
})

test('a new version waits for the tap, and comes to every page with it', async ({ phone, appUrl }) => {
  const site = await startProxy(appUrl)
  try {
    // Its first visit: no service worker controls this page.
    const { page: first, context } = await phone('phone', { appUrl: site.url })
    await shellReady(first)
    const page = await context.newPage()
    await page.goto(first.url())
    const pages = [first, page]
    for (const each of pages) {
      await each.getByTestId('empty').waitFor()
      await each.evaluate(() => Object.assign(window, { oldPage: true }))
    }
    site.release()
    await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()))
    await expect(page.getByTestId('update-banner')).toContainText(en.banner.update)
    for (const each of pages) expect(await each.evaluate(() => 'oldPage' in window)).toBe(true)
    await page.getByRole('button', { name: en.banner.updateNow }).click()
    for (const each of pages) {
      await each.waitForFunction(() => !('oldPage' in window))
      await expect(each.getByTestId('empty')).toBeVisible()
      await expect(each.getByTestId('update-banner')).toHaveCount(0)
    }
  } finally {
    site.stop()
  }
})
