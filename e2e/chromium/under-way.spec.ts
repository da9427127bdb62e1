/** What is under way: seen while it arrives, cancelled one by one, waiting for the network, never cut off by an update. */
import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Locator } from '@playwright/test'
import { en } from '../../src/app/strings/en.ts'
import { expect, shellReady, test } from '../support/fixtures.ts'
import { onNode } from '../support/on-node.ts'
import { holdNode } from '../support/held-node.ts'
import { fileNode, startHostilePeer, type HostilePeer } from '../support/hostile-peer.ts'
import { silence } from '../support/media.ts'
import { startProxy } from '../support/next-version.ts'
import { tile } from '../support/screens.ts'

const MiB = 1024 * 1024

test.describe('what arrives', () => {
  let peer: HostilePeer
  test.beforeEach(async () => {
    peer = await startHostilePeer()
  })
  test.afterEach(async () => {
    await peer.stop()
  })

  /** The link to a file of which the peer has all but the end, and what gives that. */
  async function begin(content: Uint8Array, name: string): Promise<{ path: string; finish: () => Promise<unknown> }> {
    const { bytes, codec, leaves } = await fileNode(content)
    const last = leaves.pop() ?? new Uint8Array()
    for (const leaf of leaves) await peer.give(leaf)
    const cid = await peer.give(bytes, codec)
    return {
      path: `/#/get/${cid}?name=${name}&size=${content.length}&via=${peer.multiaddr}`,
      finish: () => peer.give(last),
    }
  }

  test('a sound plays before all of it is there, and goes on then', async ({ phone }) => {
    const { path, finish } = await begin(silence(500), 'sound.wav')
    const { page } = await phone('phone', { path })
    await page.setViewportSize({ width: 360, height: 640 })
    const sound = page.getByTestId('preview')
    await sound.evaluate((audio: HTMLAudioElement) => audio.play())
    await expect.poll(() => at(sound)).toBeGreaterThan(0.2)
    await expect(page.getByTestId('receiving')).toHaveAttribute('data-phase', 'arriving')
    const before = await at(sound)
    await finish()
    const arrived = page.getByText(en.get.arrived)
    await expect(arrived).toBeVisible({ timeout: 20_000 })
    await expect(arrived).toBeInViewport({ ratio: 1 })
    await expect.poll(() => at(sound)).toBeGreaterThan(before)
    expect(await sound.evaluate((audio: HTMLAudioElement) => audio.paused)).toBe(false)
  })

  test('a picture grows; its row on Home leads to it', async ({ phone }) => {
    const { path, finish } = await begin(bitmap(1024, 1100), 'picture.bmp')
    const { page } = await phone('phone', { path })
    const picture = page.getByTestId('preview')
    await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1024)
    await expect(page.getByTestId('receiving')).toHaveAttribute('data-phase', 'arriving')
    await page.getByRole('link', { name: en.nav.home, exact: true }).click()
    await expect(page.getByTestId('transfer')).toBeVisible()
    await expect(page.getByTestId('empty')).toHaveCount(0)
    await page.getByTestId('transfer').getByRole('link', { name: 'picture.bmp' }).click()
    await expect(page.getByTestId('receiving')).toHaveAttribute('data-phase', 'arriving')
    await finish()
    await expect(page.getByText(en.get.arrived)).toBeVisible({ timeout: 20_000 })
    await expect(page.getByTestId('preview')).toBeVisible()
  })

  test('goes on after a reload, is paused and goes on when told', async ({ phone }) => {
    const { path, finish } = await begin(silence(500), 'sound.wav')
    const { page } = await phone('phone', { path })
    const receiving = page.getByTestId('receiving')
    await expect(receiving).toHaveAttribute('data-phase', 'arriving')
    const transfers = (): Promise<string[]> =>
      onNode(page, async (node) => (await node.transfers.list()).map(({ id }) => id))
    const before = await transfers()
    await page.reload()
    await expect(receiving).toHaveAttribute('data-phase', 'arriving')
    expect(await transfers()).toEqual(before)

    await page.getByRole('button', { name: en.get.pause }).click()
    await expect(page.getByText(en.get.paused)).toBeVisible()
    await page.getByRole('link', { name: en.nav.home, exact: true }).click()
    const row = page.getByTestId('transfer')
    await expect(row).toContainText(en.transfer.paused)
    await page.reload()
    await expect(row).toHaveAttribute('data-state', 'paused')
    await row.getByRole('button', { name: en.transfer.resume('sound.wav') }).click()
    await expect(row).toHaveAttribute('data-state', 'running')
    await row.getByRole('link', { name: 'sound.wav' }).click()
    await finish()
    await expect(page.getByText(en.get.arrived)).toBeVisible({ timeout: 20_000 })
  })

  test('waits for the network, and says so', async ({ phone }) => {
    const { path } = await begin(silence(500), 'sound.wav')
    const one = await phone('phone', { path })
    await expect(one.page.getByTestId('receiving')).toHaveAttribute('data-phase', 'arriving')
    await one.context.setOffline(true)
    await expect(one.page.getByText(en.transfer.offline)).toBeVisible()
    await one.page.getByRole('link', { name: en.nav.home, exact: true }).click()
    await expect(one.page.getByTestId('transfer')).toContainText(en.transfer.offline)
    await one.page.getByRole('button', { name: en.transfer.cancel('sound.wav') }).click()
    await expect(one.page.getByTestId('transfer')).toHaveCount(0)
  })
})

test('of two files of one name the one is cancelled that was meant', async ({ phone }) => {
  const { page } = await phone('phone')
  await page.getByTestId('empty').waitFor()
  for (const [folder, size] of [
    ['one', 384 * MiB],
    ['two', 385 * MiB],
  ] as const) {
    const path = test.info().outputPath(join(folder, 'same.bin'))
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, '')
    await truncate(path, size)
    await page.getByTestId('pick-files').setInputFiles(path)
    await expect(page.getByTestId('transfer').filter({ hasText: folder === 'one' ? '403 MB' : '404 MB' })).toBeVisible()
  }
  const second = page.getByTestId('transfer').filter({ hasText: '404 MB' })
  await second.getByRole('button', { name: en.transfer.cancel('same.bin') }).click()
  await expect(second).toHaveCount(0)
  await tile(page, 'same.bin').click({ timeout: 30_000 })
  await expect(page.getByTestId('item-facts')).toContainText('403 MB')
})

test('an update waits until nothing is under way', async ({ phone, appUrl }) => {
  const site = await startProxy(appUrl)
  try {
    const { page } = await phone('phone', { appUrl: site.url })
    await shellReady(page)
    await page.reload()
    await page.getByTestId('empty').waitFor()
    const held = await holdNode(page)
    await held.run(({ node, start, notes }) => {
      const source = new ReadableStream<Uint8Array>({
        start: (controller) => {
          controller.enqueue(new Uint8Array(1000))
          notes.finish = () => controller.close()
        },
      })
      start('add', node.add(source, { name: 'slow.bin' }))
    })
    await expect(page.getByTestId('transfer')).toBeVisible()
    site.release()
    await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()))
    const banner = page.getByTestId('update-banner')
    await expect(banner).toContainText(en.banner.updateBusy)
    await expect(banner.getByRole('button', { name: en.banner.updateNow })).toBeDisabled()

    await held.run(({ notes }) => (notes.finish as () => void)())
    await held.job('add')
    await expect(banner).toContainText(en.banner.update)
    await page.evaluate(() => Object.assign(window, { oldPage: true }))
    await banner.getByRole('button', { name: en.banner.updateNow }).click()
    await page.waitForFunction(() => !('oldPage' in window))
    await expect(tile(page, 'slow.bin')).toBeVisible()
  } finally {
    site.stop()
  }
})

/** Seconds of a sound that have been played. */
function at(sound: Locator): Promise<number> {
  return sound.evaluate((audio: HTMLAudioElement) => audio.currentTime)
}

/** A grey picture, 24 bits a pixel, its lines from the bottom up as the format has them. */
function bitmap(width: number, height: number): Uint8Array {
  const bytes = Buffer.alloc(54 + width * height * 3, 0x80)
  bytes.fill(0, 0, 54)
  bytes.write('BM', 0)
  bytes.writeUInt32LE(bytes.length, 2)
  bytes.writeUInt32LE(54, 10)
  bytes.writeUInt32LE(40, 14)
  bytes.writeInt32LE(width, 18)
  bytes.writeInt32LE(height, 22)
  bytes.writeUInt16LE(1, 26)
  bytes.writeUInt16LE(24, 28)
  return bytes
}
