/** Ways to add, and to take back: drop, paste, camera, several at once, undo, cancel. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { en } from '../../src/app/strings/en.ts'
import { expect, test } from '../support/fixtures.ts'
import { pins, textFile, tile } from '../support/screens.ts'

test('adds by drop, paste, camera and several at once', async ({ phone }) => {
  const { page } = await phone('phone')
  const root = test.info().outputPath('trip')
  await mkdir(join(root, 'photos'), { recursive: true })
  await writeFile(join(root, 'photos', 'a.txt'), 'a')
  await writeFile(join(root, 'read me.txt'), 'b')
  const lone = test.info().outputPath('lone.txt')
  await writeFile(lone, 'lone')

  await dropPaths(page, [root])
  await expect(tile(page, 'trip')).toBeVisible()
  await dropPaths(page, [lone])
  await expect(tile(page, 'lone.txt')).toBeVisible()
  await page.getByTestId('pick-files').setInputFiles([textFile('image.jpg', 'one'), textFile('image.jpg', 'two')])
  await expect(tile(page, /^2 files/)).toBeVisible()
  await page.getByTestId('pick-camera').setInputFiles(textFile('shot.jpg', 'shot'))
  await expect(tile(page, 'shot.jpg')).toBeVisible()
  await page.evaluate(() => navigator.clipboard.writeText('from the clipboard'))
  await page.getByRole('button', { name: en.home.paste, exact: true }).click()
  await expect(tile(page, /^Pasted text/)).toHaveCount(1)
  await page.evaluate(() => navigator.clipboard.writeText('by the key'))
  await page.keyboard.press('Control+V')
  await expect(tile(page, /^Pasted text/)).toHaveCount(2)

  await tile(page, 'trip').click()
  await page.getByRole('link', { name: 'photos' }).click()
  await expect(page.getByRole('link', { name: 'a.txt' })).toBeVisible()
  await page.goto(new URL('/#/', page.url()).href)
  await tile(page, /^2 files/).click()
  await expect(page.getByTestId('entries').getByRole('listitem')).toHaveText([/image \(2\)\.jpg/, /image\.jpg/])
})

test('Undo of Remove brings back the very same; without it the pin is gone', async ({ phone }) => {
  const { page } = await phone('phone')
  for (const name of ['first.txt', 'second.txt', 'third.txt']) {
    await page.getByTestId('pick-files').setInputFiles(textFile(name, name))
    await expect(tile(page, name)).toBeVisible()
  }
  const before = await pins(page)
  await removeItem(page, 'second.txt')
  await expect(page.getByTestId('library').getByRole('link')).toHaveText([/third/, /first/])
  await page.getByRole('button', { name: en.undo }).click()
  await expect(page.getByTestId('library').getByRole('link')).toHaveText([/third/, /second/, /first/])
  expect(await pins(page)).toEqual(before)

  await removeItem(page, 'second.txt')
  await page.getByTestId('notice').getByRole('button', { name: en.dismiss }).click()
  await expect.poll(async () => (await pins(page)).map(({ name }) => name)).toEqual(['third.txt', 'first.txt'])
  await expect(page.getByTestId('library').getByRole('link')).toHaveText([/third/, /first/])

  // It does not come back with the page; what is added anew does.
  await removeItem(page, 'first.txt')
  await page.reload()
  await expect(page.getByTestId('library').getByRole('link')).toHaveText([/third/])
  await expect.poll(async () => (await pins(page)).map(({ name }) => name)).toEqual(['third.txt'])
  await page.getByTestId('pick-files').setInputFiles(textFile('first.txt', 'first.txt'))
  await expect(page.getByTestId('library').getByRole('link')).toHaveText([/first/, /third/])
  await page.reload()
  await expect(page.getByTestId('library').getByRole('link')).toHaveText([/first/, /third/])
})

/** A real drop from outside the browser, so that folders are walked. */
async function dropPaths(page: Page, files: string[]): Promise<void> {
  const box = await page.getByRole('button', { name: en.home.add }).boundingBox()
  const cdp = await page.context().newCDPSession(page)
  const at = { x: (box?.x ?? 0) + 40, y: (box?.y ?? 0) + 40, data: { items: [], files, dragOperationsMask: 1 } }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await cdp.send('Input.dispatchDragEvent', { type, ...at })
  await cdp.detach()
}

async function removeItem(page: Page, name: string): Promise<void> {
  await tile(page, name).click()
  // A second tap hits what comes in its place: it must not undo the first, nor open what is there.
  await page.getByRole('button', { name: en.item.remove }).dblclick()
  await expect(page.getByTestId('notice')).toContainText(en.item.removed(name))
}
