/** A file's page: what is shown of it, and how it is saved. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { en } from '../../src/app/strings/en.ts'
import { expect, randomFile, sha256, sha256OfDownload, shellReady, test } from '../support/fixtures.ts'
import { silence } from '../support/media.ts'
import { tile } from '../support/screens.ts'

test('shows pictures, videos, sounds, PDFs and texts, and saves the bytes as they are', async ({ phone }) => {
  const { page } = await phone('phone')
  const picture = await drawPicture(page)
  const all = [
    { name: 'picture.png', buffer: picture, element: 'img' },
    { name: 'film.webm', buffer: await recordVideo(page), element: 'video' },
    { name: 'sound.wav', buffer: silence(), element: 'audio' },
    { name: 'paper.pdf', buffer: Buffer.from('%PDF-1.4\n%%EOF'), element: 'iframe, figure' },
    { name: 'notes.txt', buffer: Buffer.from('plain words'), element: 'pre' },
  ]
  for (const { name, buffer, element } of all) {
    await page.getByTestId('pick-files').setInputFiles({ name, mimeType: 'application/octet-stream', buffer })
    await tile(page, name).click()
    await expect(page.getByTestId('item-name')).toHaveText(name)
    await expect(page.locator(`main :is(${element})`).first()).toBeVisible()
    if (element === 'img') await expect.poll(() => widthOf(page)).toBe(64)
    await page.getByRole('button', { name: en.back }).click()
  }
  await expect(page.locator('[data-testid=library] a:has-text("picture.png") img')).toBeVisible()
  await tile(page, 'picture.png').click()
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: en.item.save }).click()
  expect(await sha256OfDownload(await download)).toBe(sha256(picture))
  // The browser says nothing back: nobody knows yet whether it is saved.
  await expect(page.getByTestId('notice')).toContainText(en.item.handed('picture.png'))
})

test('a large file streams to the downloads where the browser has no dialog for it', async ({ phone }) => {
  const { page } = await phone('no dialog', { initScript: () => Reflect.deleteProperty(window, 'showSaveFilePicker') })
  await shellReady(page)
  // Above CAPS.quickSave; its name is to survive the header.
  const file = randomFile(70 * 1024 * 1024, 'streamed', "Ünïcode 'quoted' (1)*.bin")
  const path = test.info().outputPath(file.name)
  await writeFile(path, file.buffer)
  await page.getByTestId('pick-files').setInputFiles(path)
  await tile(page, file.name).click()
  const blobs = await page.evaluateHandle(() => {
    const made: number[] = []
    const create = URL.createObjectURL.bind(URL)
    URL.createObjectURL = (blob) => {
      made.push((blob as Blob).size)
      return create(blob)
    }
    return made
  })
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: en.item.save }).click()
  await expect(page.getByTestId('notice')).toContainText(en.item.handed(file.name))
  expect(await sha256OfDownload(await download)).toBe(file.sha256)
  expect((await download).suggestedFilename()).toBe("Ünïcode 'quoted' (1)_.bin")
  expect(await blobs.jsonValue()).toEqual([])
  await expect(page.locator('iframe')).toHaveCount(0)
  // What the link said once is used up, and nothing but a plain answer is behind others.
  expect(await page.evaluate(async () => (await fetch('/save/none/x')).status)).toBe(404)
})

test('a folder is written to a picked place where there is a picker, and says what to do where there is none', async ({
  phone,
}) => {
  const files = [randomFile(300_000, 'save one', 'one.bin'), randomFile(10, 'save two', 'two.bin')]
  const root = test.info().outputPath('set')
  await mkdir(root, { recursive: true })
  for (const { name, buffer } of files) await writeFile(join(root, name), buffer)
  // A dialog of the system cannot be driven: the browser's private file system stands for the picked folder.
  const withPicker = await phone('with picker', {
    initScript: () => {
      Object.assign(window, { showDirectoryPicker: () => navigator.storage.getDirectory() })
    },
  })
  await withPicker.page.getByTestId('pick-folder').setInputFiles(root)
  await tile(withPicker.page, 'set').click()
  for (const name of ['set', 'set (2)']) {
    await withPicker.page.getByRole('button', { name: en.item.saveFolder }).click()
    await expect.poll(() => opfsDigests(withPicker.page, name)).toEqual(digests(files))
  }
  await expect(withPicker.page.getByTestId('notice')).toContainText(en.item.saved('set'))

  const without = await phone('without', { initScript: () => Reflect.deleteProperty(window, 'showDirectoryPicker') })
  await without.page.getByTestId('pick-folder').setInputFiles(root)
  await tile(without.page, 'set').click()
  await expect(without.page.getByText(en.item.saveFolderHere)).toBeVisible()
  await expect(without.page.getByRole('button', { name: en.item.saveFolder })).toHaveCount(0)
})

test('a folder shows its pictures and what can be done above its list; what lies in it keeps its name', async ({
  phone,
}) => {
  const { page } = await phone('phone')
  const root = test.info().outputPath('album')
  await mkdir(root, { recursive: true })
  const picture = await drawPicture(page)
  // No more than one picture of each kind; trailing bytes are no part of a PNG.
  for (const copy of ['a', 'b']) await writeFile(join(root, `${copy}.png`), Buffer.concat([picture, Buffer.from(copy)]))
  for (let i = 0; i < 30; i += 1) await writeFile(join(root, `notes ${i} 50% #1.txt`), `words ${i}`)
  await page.getByTestId('pick-folder').setInputFiles(root)
  await expect(tile(page, 'album').locator('img')).toHaveCount(2)

  await tile(page, 'album').click()
  const entries = page.getByTestId('entries').getByRole('listitem')
  await expect(entries.filter({ hasText: 'a.png' }).locator('img')).toBeVisible()
  await expect(page.getByRole('link', { name: en.item.share })).toBeInViewport({ ratio: 1 })
  await expect(page.getByRole('button', { name: en.item.remove })).toBeInViewport({ ratio: 1 })

  await entries.filter({ hasText: 'notes 7 50% #1.txt' }).click()
  await expect(page.getByTestId('item-name')).toHaveText('notes 7 50% #1.txt')
  await expect(page.getByRole('link', { name: en.item.within('album') })).toBeVisible()
  await expect(page.getByRole('button', { name: en.item.keep })).toHaveCount(0)
  await page.getByRole('link', { name: en.item.share }).click()
  await expect(page.getByRole('heading', { name: 'notes 7 50% #1.txt' })).toBeVisible()
  await expect(page.getByText(en.share.size(7))).toBeVisible()
  await expect(page.getByTestId('share-link')).toHaveValue(/[?&]name=notes%207%2050%25%20%231\.txt&size=7/)
})

async function drawPicture(page: Page): Promise<Buffer> {
  const url = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 })
    canvas.getContext('2d')?.fillRect(8, 8, 20, 20)
    return canvas.toDataURL('image/png')
  })
  return Buffer.from(url.split(',')[1] ?? '', 'base64')
}

async function recordVideo(page: Page): Promise<Buffer> {
  const bytes = await page.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 })
    const context = canvas.getContext('2d')
    const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: 'video/webm' })
    const parts: Blob[] = []
    const stopped = new Promise((resolve) => (recorder.onstop = resolve))
    const some = new Promise((resolve) => {
      recorder.ondataavailable = ({ data }) => {
        parts.push(data)
        if (data.size > 0) resolve(undefined)
      }
    })
    recorder.start(100)
    const drawing = setInterval(() => context?.fillRect(Math.random() * 64, 0, 8, 48), 30)
    await some
    clearInterval(drawing)
    recorder.stop()
    await stopped
    return [...new Uint8Array(await new Blob(parts).arrayBuffer())]
  })
  return Buffer.from(bytes)
}

function widthOf(page: Page): Promise<number> {
  return page.locator('main figure img').evaluate((image: HTMLImageElement) => image.naturalWidth)
}

function digests(files: { name: string; sha256: string }[]): Record<string, string> {
  return Object.fromEntries(files.map((file) => [file.name, file.sha256]))
}

function opfsDigests(page: Page, folder: string): Promise<Record<string, string>> {
  return page.evaluate(async (name) => {
    const found: Record<string, string> = {}
    try {
      const directory = await (await navigator.storage.getDirectory()).getDirectoryHandle(name)
      for await (const [key, handle] of directory.entries()) {
        const content = await (await (handle as FileSystemFileHandle).getFile()).arrayBuffer()
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content))
        found[key] = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
      }
    } catch {
      // Not there yet.
    }
    return found
  }, folder)
}
