/** Bad input through the screens: a sentence that a person understands, no bare code, and an app that goes on. */
import { rm, writeFile } from 'node:fs/promises'
import type { Locator, Page } from '@playwright/test'
import { en } from '../../src/app/strings/en.ts'
import { errorsEn } from '../../src/app/strings/errors-en.ts'
import type { ErrorCode } from '../../src/shared/errors.ts'
import { expect, randomFile, test } from '../support/fixtures.ts'
import { folderNode, startHostilePeer, type HostilePeer } from '../support/hostile-peer.ts'
import { facts, kept } from '../support/on-node.ts'
import { freePort } from '../support/process.ts'

const MiB = 1024 * 1024
const CID = 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'
const SOMEONE = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
/** How long a phone looks for what nobody has, and some more, in ms. */
const PATIENCE_MS = 45_000

test('links that do not open say what is wrong with them', async ({ phone }) => {
  const { page } = await phone('opening')
  const links: [link: string, code: ErrorCode][] = [
    ['/#/get/bafkreifzjut3te2n?via=%E0%A4', 'ERR_INVALID_LINK'],
    [`/#/get/${CID.slice(0, -1)}`, 'ERR_INVALID_CID'],
    [`/#/get/${CID}?via=/ip4/999.1.1.1/tcp/1/ws`, 'ERR_INVALID_MULTIADDR'],
    ['/#/get/bafyreigaknpexyvxt76zgkitavbwx6ejgfheup5oybpm77f3pxzrvwpfdi', 'ERR_UNSUPPORTED_CODEC'],
  ]
  for (const [link, code] of links) {
    await go(page, link)
    await expectSentence(page.getByTestId('failure'), code)
  }
  await go(page, '/#/get/')
  await expect(page.getByText(en.notFound.text)).toBeVisible()

  await go(page, '/#/receive')
  for (const text of ['https://example.com/watch?v=1', 'x'.repeat(10_000), 'https://pocket.example/#/get/']) {
    await page.getByRole('textbox', { name: en.receive.link }).fill(text)
    await page.getByRole('button', { name: en.receive.open, exact: true }).click()
    await expectSentence(page.getByTestId('failure'), 'ERR_INVALID_LINK')
  }
  await page.getByRole('textbox', { name: en.receive.link }).fill('see you tomorrow')
  await page.getByRole('button', { name: en.receive.open, exact: true }).click()
  await expect(page.getByTestId('failure')).toContainText(en.receive.notALink.what)
  await expectGoesOn(page)
})

test('what is not on this phone is not offered to others', async ({ phone }) => {
  const one = await phone('without')
  const share = await one.openPage(`/#/share/${CID}`)
  await expect(share.getByTestId('truth')).toHaveText(en.share.absent)
  await expect(share.getByTestId('qr')).toHaveCount(0)
  await share.getByRole('link', { name: en.share.receive }).click()
  await expect(share.getByTestId('receiving')).toBeVisible()
  await go(share, '/#/share/nope')
  await expectSentence(share.getByTestId('failure'), 'ERR_INVALID_CID')
  await expect(share.getByTestId('share-link')).toHaveCount(0)
})

test('relays that are none or do not answer are told apart', async ({ phone }) => {
  const { page } = await phone('relays', { path: '/#/settings' })
  const address = page.getByRole('textbox', { name: en.settings.relayAddress })
  const add = page.getByRole('button', { name: en.settings.addRelay })
  await address.fill('relay.example:443')
  await add.click()
  await expectSentence(page.getByTestId('failure'), 'ERR_INVALID_MULTIADDR')

  await address.fill(`/ip4/127.0.0.1/tcp/${await freePort()}/ws/p2p/${SOMEONE}`)
  await add.click()
  await expect(page.getByTestId('notice')).toContainText(en.settings.relayAdded)
  await address.fill('relay.example:443')
  await add.click()
  await expectSentence(page.getByTestId('failure'), 'ERR_INVALID_MULTIADDR')
  // It would lie over what went wrong; by itself it goes after seven seconds.
  await expect(page.getByTestId('notice')).toBeEmpty({ timeout: 2000 })
  await go(page, '/#/status')
  const relay = page.getByTestId('relays').getByRole('listitem').filter({ hasText: SOMEONE })
  await expect(relay).toHaveAttribute('data-state', 'failed', { timeout: 20_000 })
  await expectSentence(relay, 'ERR_RELAY_UNREACHABLE')
  await expectGoesOn(page)
})

test.describe('a sender', () => {
  let peer: HostilePeer
  test.beforeEach(async () => {
    peer = await startHostilePeer()
  })
  test.afterEach(async () => {
    await peer.stop()
  })
  const linkTo = (cid: string, name: string): string => `/#/get/${cid}?name=${name}&via=${peer.multiaddr}`

  test('that lies, or is not there, is told in words', async ({ phone }) => {
    const large = await peer.give(randomFile(2 * MiB + 1, 'too large').buffer)
    const forged = await peer.give(randomFile(1000, 'forged').buffer)
    peer.giveForged(forged)
    const one = await phone('lied-to', { path: linkTo(forged, 'forged.bin') })
    const nobody = await one.openPage(`/#/get/${CID}?name=gone.bin`)
    const item = await one.openPage(`/#/item/${CID}`)
    const tooLarge = await one.openPage(linkTo(large, 'large.bin'))
    await expect(item.getByTestId('waiting')).toContainText(CID)
    await expectSentence(tooLarge.getByTestId('failure'), 'ERR_BLOCK_TOO_LARGE')
    await expectSentence(one.page.getByTestId('failure'), 'ERR_BLOCK_HASH_MISMATCH')
    await expectSentence(nobody.getByTestId('failure'), 'ERR_NOT_FOUND', PATIENCE_MS)
    await expect(nobody.getByRole('button', { name: en.tryAgain })).toBeVisible()
    await expectSentence(item.getByTestId('failure'), 'ERR_NOT_FOUND', PATIENCE_MS)
    await item.getByRole('button', { name: en.tryAgain }).click()
    await expect(item.getByTestId('waiting')).toContainText(CID)
    // They would go on trying by themselves.
    for (const page of [one.page, nobody]) await page.getByRole('button', { name: en.get.cancel, exact: true }).click()
    await expectGoesOn(tooLarge)
  })

  test('of a folder with hostile names or 10,000 entries breaks no screen', async ({ phone }) => {
    const hostile = await folderNode(['..', 'a/b', '\0', '<img src=x onerror=alert(1)>', '\u202efdp.exe', 'fine'])
    await peer.give(hostile.leaf)
    const names = await peer.give(hostile.bytes, hostile.codec)
    const many = await folderNode(Array.from({ length: 10_000 }, (_, i) => `f${String(i).padStart(5, '0')}`))
    const crowd = await peer.give(many.bytes, many.codec)

    const one = await phone('folders', { path: linkTo(names, 'names') })
    const entries = one.page.getByTestId('entries').getByRole('listitem')
    await expect(one.page.getByText(en.get.arrived)).toBeVisible()
    await expect(entries.filter({ hasText: 'fine' })).toBeVisible()
    await expect(entries.filter({ hasText: '<img src=x' })).toBeVisible()
    await entries.filter({ hasText: 'fine' }).click()
    await expect(one.page.getByTestId('item-name')).toHaveText('fine')

    const page = await one.openPage(linkTo(crowd, 'many'))
    await expect(page.getByText(en.get.arrived)).toBeVisible({ timeout: 20_000 })
    await expect(page.getByText('f00000')).toBeVisible()
    await expect(page.getByRole('button', { name: /^Show \d+ more$/ })).toBeVisible()
    await expectGoesOn(page, ['many', 'names'])
  })
})

test('a file that is gone, and one that does not fit, are told in words', async ({ phone }) => {
  // Not the app yet: the quota counts from the first write, and the node must wait until the file is gone.
  const one = await phone('adding', { path: '/embed.js' })
  const { page } = one
  await one.overrideQuota(24 * MiB)
  const ready = Promise.withResolvers<void>()
  await one.context.route('**/node.js', async (route) => {
    await ready.promise
    await route.continue()
  })
  await go(page, '/')
  const gone = test.info().outputPath('gone.bin')
  await writeFile(gone, randomFile(3 * MiB, 'gone').buffer)
  await page.getByTestId('pick-files').setInputFiles(gone)
  await rm(gone)
  ready.resolve()
  await expectSentence(page.getByTestId('notice'), 'ERR_SOURCE_UNREADABLE')

  const big = test.info().outputPath('big.bin')
  await writeFile(big, randomFile(40 * MiB, 'big').buffer)
  await page.getByTestId('pick-files').setInputFiles(big)
  await expectSentence(page.getByTestId('notice'), 'ERR_QUOTA_EXCEEDED')
  await expectGoesOn(page)
})

test.describe('a browser', () => {
  test('without WebRTC and SharedWorker says so on Status, and works', async ({ phone }) => {
    const { page } = await phone('old', {
      path: '/#/status',
      initScript: () => {
        Reflect.deleteProperty(globalThis, 'RTCPeerConnection')
        Reflect.deleteProperty(globalThis, 'SharedWorker')
      },
    })
    await expect(page.getByText(en.status.webrtcNone)).toBeVisible()
    await expect(page.getByText(en.status.hosts['dedicated-worker'])).toBeVisible()
    await expectGoesOn(page)
  })

  test('without IndexedDB warns that nothing stays', async ({ phone }) => {
    const noStorage = (): void => {
      indexedDB.open = () => {
        throw new DOMException('The operation is insecure.', 'SecurityError')
      }
    }
    const { page } = await phone('private', { initScript: noStorage, workerScript: noStorage })
    await expect(page.getByTestId('memory-banner')).toContainText(en.banner.memory)
    await expectGoesOn(page)
    await go(page, '/#/settings')
    const { status } = await facts(page)
    await expect(page.getByTestId('used')).toContainText(en.settings.used(status.storage.bytes))
    await expect(page.getByText(en.settings.forgets)).toBeVisible()
    await expect(page.getByRole('button', { name: en.settings.persist })).toHaveCount(0)
  })

  test('that refuses camera and persistent storage is told about, with a way round', async ({ phone }) => {
    const { page } = await phone('refusing', {
      path: '/#/receive',
      permissions: [],
      initScript: () => {
        // The test browser's fake camera asks nobody.
        // A page that is not secure, such as the first empty one, has neither.
        if (!isSecureContext) return
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('denied', 'NotAllowedError'))
        navigator.storage.persist = () => Promise.resolve(false)
      },
    })
    await page.getByRole('button', { name: en.receive.scan }).click()
    await expect(page.getByRole('alert')).toHaveText(en.receive.cameraDenied)
    await go(page, '/#/settings')
    await page.getByRole('button', { name: en.settings.persist }).click()
    await expect(page.getByText(en.settings.persistDenied)).toBeVisible()
    await expectGoesOn(page)
  })
})

/** All three parts of the sentence are there to read, and the code is not. */
async function expectSentence(place: Locator, code: ErrorCode, timeout = 10_000): Promise<void> {
  const { what, why, now } = errorsEn[code]
  await expect(place).toContainText(what, { timeout, useInnerText: true })
  await expect(place).toContainText(why, { useInnerText: true })
  await expect(place).toContainText(now, { useInnerText: true })
  await expect(place).not.toContainText('ERR_', { useInnerText: true })
}

async function go(page: Page, path: string): Promise<void> {
  await page.goto(new URL(path, page.url()).href)
}

/** A file is added through the screen and listed, beside nothing but `names`. */
async function expectGoesOn(page: Page, names: string[] = []): Promise<void> {
  await go(page, '/')
  await page.getByTestId('pick-files').setInputFiles(randomFile(1000, 'goes on', 'goes on.bin'))
  await expect(page.getByTestId('library').getByRole('link', { name: 'goes on.bin' })).toBeVisible()
  expect(Object.keys(await kept(page)).sort()).toEqual(['goes on.bin', ...names].sort())
  await expect(page.getByTestId('transfer').and(page.locator('[data-state=running]'))).toHaveCount(0)
}
