/** For everybody: by keyboard alone, and what axe finds on any screen. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from '@playwright/test'
import { en } from '../../src/app/strings/en.ts'
import { expect, test } from '../support/fixtures.ts'
import { textFile, tile } from '../support/screens.ts'

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

test('by keyboard alone: from adding to the link; back and reload lead where one was', async ({ phone }) => {
  const { page } = await phone('phone')
  await page.getByTestId('empty').waitFor()
  await tabTo(page, en.home.add)
  const chooser = page.waitForEvent('filechooser')
  await page.keyboard.press('Enter')
  await (await chooser).setFiles(textFile('typed.txt', 'typed'))
  await tile(page, 'typed.txt').waitFor()
  await tabTo(page, 'typed.txt')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('item-name')).toHaveText('typed.txt')
  await tabTo(page, en.item.share)
  await page.keyboard.press('Enter')
  await page.getByTestId('qr').waitFor()
  await tabTo(page, en.share.copy)
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('notice')).toHaveText(en.copied)
  const shared = page.url()
  await page.reload()
  await expect(page.getByTestId('qr')).toBeVisible()
  expect(page.url()).toBe(shared)
  await page.goBack()
  await expect(page.getByTestId('item-name')).toHaveText('typed.txt')
  await page.goBack()
  await expect(tile(page, 'typed.txt')).toBeVisible()
  await page.getByRole('link', { name: en.nav.status, exact: true }).click()
  await page.getByRole('link', { name: en.nav.settings, exact: true }).click()
  await page.goBack()
  await expect(tile(page, 'typed.txt')).toBeVisible()
})

for (const scheme of ['light', 'dark'] as const) {
  test(`no serious finding of axe on any screen, ${scheme}`, async ({ phone }) => {
    const { page } = await phone('phone')
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    await page.getByTestId('empty').waitFor()
    const found = { empty: await serious(page) } as Record<string, string[]>
    await page.getByTestId('pick-files').setInputFiles(textFile('words.txt', 'words'))
    await tile(page, 'words.txt').waitFor()
    found.home = await serious(page)
    await tile(page, 'words.txt').click()
    await page.getByTestId('preview').waitFor()
    await page.getByTestId('details').locator('summary').click()
    found.item = await serious(page)
    await page.getByRole('link', { name: en.item.share }).click()
    await page.getByTestId('qr').waitFor()
    found.share = await serious(page)
    for (const [name, hash, ready] of [
      ['bad link', '#/get/nonsense', '[data-testid=failure]'],
      ['receive', '#/receive', '.scan'],
      ['status', '#/status', '[data-testid=reach]'],
      ['settings', '#/settings', 'input[name=theme]'],
      ['unknown', '#/nowhere', 'main h1'],
    ] as const) {
      await page.goto(new URL(`/${hash}`, page.url()).href)
      await page.locator(ready).first().waitFor()
      found[name] = await serious(page)
    }
    expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([])
  })
}

/** Presses Tab until what has the focus is called so. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate(() => {
      const active = document.activeElement
      // The page itself has the focus at first, and all words in it.
      return active?.matches('a, button') === true ? (active.getAttribute('aria-label') ?? active.textContent) : ''
    })
    if (focused.includes(name)) return
  }
  throw new Error(`Tab does not reach ${name}`)
}

async function serious(page: Page): Promise<string[]> {
  // By DevTools: the page's policy refuses scripts that are not its own.
  if (!(await page.evaluate(() => 'axe' in window))) {
    await page.evaluate(await readFile(axePath, 'utf8'))
  }
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }
    interface Violation {
      id: string
      impact: string
      nodes: { target: string[]; failureSummary: string }[]
    }
    const { violations } = await axe.run()
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} ${failureSummary}`),
      )
  })
}
