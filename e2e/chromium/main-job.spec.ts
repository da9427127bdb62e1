/** The main job, through the screens: add, share, receive directly, and find it again without a network. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Page } from '@playwright/test'
import { en } from '../../src/app/strings/en.ts'
import { startCompanion, type Companion } from '../support/companion.ts'
import { expect, randomFile, sha256, sha256OfDownload, test } from '../support/fixtures.ts'
import { facts, onNode } from '../support/on-node.ts'
import { linksTo } from '../support/share.ts'

const MiB = 1024 * 1024
/** From the link to the last byte, on a busy machine, in ms. */
const ARRIVES_MS = 30_000
const DIRECT = expect.objectContaining({ transport: 'webrtc', direct: true, limited: false })

test.describe('from phone to phone', () => {
  let companion: Companion
  // One of their own: it is stopped in the middle.
  test.beforeEach(async () => {
    companion = await startCompanion()
  })
  test.afterEach(async () => {
    await companion.remove()
  })

  test('a file goes directly, whole, and opens again without any network', async ({ phone }) => {
    const file = randomFile(8 * MiB, 'the main job', 'holiday.bin')
    const sender = await phone('sender', { appUrl: companion.url })
    await sender.page.getByTestId('pick-files').setInputFiles(file)
    const url = await shareFromLibrary(sender.page, file.name)

    const receiver = await phone('receiver', { appUrl: companion.url, path: url })
    const { page } = receiver
    await expect(page.getByText(file.name).first()).toBeVisible()
    await expect(page.getByText(en.get.arrived)).toBeVisible({ timeout: ARRIVES_MS })
    expect(await savedSha256(page)).toBe(file.sha256)
    await expectDirect(sender.page, page)

    await page.evaluate('navigator.serviceWorker.ready.then(() => undefined)')
    await companion.stop()
    await receiver.context.setOffline(true)
    // The one worker of this phone ends with its last page: what comes back comes from the disk.
    await receiver.killSharedWorkers()
    await page.goto(new URL('/', companion.url).href)
    await page.reload()
    await expect(page.getByTestId('offline-banner')).toContainText(en.banner.offlineIdle)
    await page.getByRole('link', { name: file.name }).click()
    await expect(page.getByTestId('item-name')).toHaveText(file.name)
    expect(await savedSha256(page)).toBe(file.sha256)
  })

  test('it goes on arriving when the person looks elsewhere', async ({ phone }) => {
    const file = randomFile(40 * MiB, 'looking elsewhere', 'long.bin')
    const sender = await phone('sender', { appUrl: companion.url })
    await sender.page.getByTestId('pick-files').setInputFiles(file)
    const url = await shareFromLibrary(sender.page, file.name)

    const { page } = await phone('receiver', { appUrl: companion.url, path: url })
    await expect(page.locator('[data-testid=receiving][data-phase=arriving]')).toBeVisible({ timeout: ARRIVES_MS })
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link').first().click()
    await expect(page.getByTestId('transfer')).toBeVisible()
    await page.getByTestId('library').getByRole('link', { name: file.name }).click({ timeout: ARRIVES_MS })
    expect(await savedSha256(page)).toBe(file.sha256)
    await expectDirect(sender.page, page)
  })

  test('a folder arrives with its tree intact', async ({ phone }) => {
    const files = ['read me.txt', 'photos/a.bin', 'photos/2026/b.bin', 'photos/2026/ünï © 文.bin'].map((path, i) => ({
      path,
      ...randomFile(i * 700_000 + 10, `folder ${path}`),
    }))
    const root = test.info().outputPath('trip')
    for (const { path, buffer } of files) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), buffer)
    }
    const sender = await phone('sender', { appUrl: companion.url })
    await sender.page.getByTestId('pick-folder').setInputFiles(root)
    const url = await shareFromLibrary(sender.page, 'trip')

    const { page } = await phone('receiver', { appUrl: companion.url, path: url })
    await expect(page.getByText(en.get.arrived)).toBeVisible({ timeout: ARRIVES_MS })
    await expect(page.getByTestId('entries').getByRole('listitem')).toHaveText([/photos/, /read me\.txt/])
    await expectDirect(sender.page, page)
    const cid = /#\/get\/(\w+)/.exec(url)?.[1] ?? ''
    expect(await treeOf(page, cid)).toEqual(Object.fromEntries(files.map(({ path, buffer }) => [path, sha256(buffer)])))

    await page.getByRole('link', { name: 'photos' }).click()
    await page.getByRole('link', { name: 'a.bin' }).click()
    await expect(page.getByTestId('item-name')).toHaveText('a.bin')
    expect(await savedSha256(page)).toBe(files.find(({ path }) => path === 'photos/a.bin')?.sha256)
  })
})

/** Opens the item from the library, its share page from there, and reads the link once it works. */
async function shareFromLibrary(page: Page, name: string): Promise<string> {
  await page.getByTestId('library').getByRole('link', { name }).click()
  await expect(page.getByTestId('item-name')).toHaveText(name)
  await page.getByRole('link', { name: en.item.share }).click()
  const link = page.getByRole('textbox', { name: en.share.link })
  await expect(link).toHaveAttribute('data-reachable', 'true', { timeout: ARRIVES_MS })
  await expect(page.getByTestId('truth')).toContainText(en.share.truth)
  await expect(page.getByRole('img', { name: en.share.qr(name) })).toBeVisible()
  return link.inputValue()
}

async function savedSha256(page: Page): Promise<string> {
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: en.item.save }).click()
  return sha256OfDownload(await download)
}

async function expectDirect(sender: Page, receiver: Page): Promise<void> {
  const [one, two] = [await facts(sender), await facts(receiver)]
  expect(await linksTo(receiver, one.id.peerId), 'from the receiver').toContainEqual(DIRECT)
  expect(await linksTo(sender, two.id.peerId), 'from the sender').toContainEqual(DIRECT)
}

/** Paths of all files below, and the SHA-256 of what each reads as. */
async function treeOf(page: Page, cid: string): Promise<Record<string, string>> {
  return onNode(
    page,
    async (node, root) => {
      const found: Record<string, string> = {}
      const walk = async (path: string, prefix: string): Promise<void> => {
        for await (const { name, type, cid: child } of node.ls(path)) {
          if (type === 'directory') {
            await walk(child, `${prefix}${name}/`)
            continue
          }
          const content = await new Response(node.cat(child) as ReadableStream<BufferSource>).arrayBuffer()
          const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content))
          found[`${prefix}${name}`] = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
        }
      }
      await walk(root.cid, '')
      return found
    },
    { cid },
  )
}
