import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import { en } from '../../src/app/strings/en.ts'
import { startCompanion } from '../support/companion.ts'
import { randomFile, sha256 } from '../support/files.ts'
import { launchFirefox } from '../support/firefox.ts'
import { shellReady } from '../support/on-node.ts'

const MiB = 1024 * 1024
/** Two busy cores write and hash some 100 MiB, in ms. */
const SAVED_MS = 60_000

test('a large file streams from Firefox’s node to its downloads', async () => {
  const folder = test.info().outputPath('downloads')
  await mkdir(folder, { recursive: true })
  const companion = await startCompanion()
  const firefox = await launchFirefox({
    prefs: {
      'browser.download.folderList': 2,
      'browser.download.dir': folder,
      'browser.download.useDownloadDir': true,
    },
  })
  try {
    const page = await firefox.newPage(companion.url)
    await shellReady(page)
    // Above CAPS.quickSave, below which a Blob is good enough.
    const file = randomFile(70 * MiB, 'saved by firefox')
    const path = test.info().outputPath(file.name)
    await writeFile(path, file.buffer)
    await (await page.waitForSelector('input[data-testid="pick-files"]'))?.uploadFile(path)
    await (await page.waitForSelector('[data-testid="library"] a'))?.click()
    await (await page.waitForSelector(`button::-p-text(${en.item.save})`))?.click()
    const saved = async (): Promise<string> => {
      // Firefox writes to `….part` and renames it at the end.
      const names = await readdir(folder)
      return names.length === 1 && names[0] === file.name
        ? sha256(await readFile(join(folder, file.name)))
        : names.join()
    }
    await expect.poll(saved, { timeout: SAVED_MS }).toBe(file.sha256)
    expect(firefox.errors).toEqual([])
  } finally {
    await firefox.close()
    await companion.remove()
  }
})
