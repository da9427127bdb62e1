import { writeFile } from 'node:fs/promises'
import { expect, test } from '@playwright/test'
import type { Page } from 'puppeteer-core'
import { en } from '../../src/app/strings/en.ts'
import type { ShareResult } from '../../src/contract/node-api.ts'
import { startCompanion, type Companion } from '../support/companion.ts'
import { randomFile, type RandomFile } from '../support/files.ts'
import { launchFirefox, type Firefox, type FirefoxOptions } from '../support/firefox.ts'
import { contentSha256, facts, kept, onNode, shellReady } from '../support/on-node.ts'

const MiB = 1024 * 1024
/** Two browsers and a server on a busy machine, in ms. */
const SOON_MS = 30_000
const NO_WEBRTC: FirefoxOptions = { prefs: { 'media.peerconnection.enabled': false } }

test.describe('the main job in Firefox', () => {
  let companion: Companion
  const open: Firefox[] = []
  test.beforeEach(async () => {
    companion = await startCompanion()
  })
  test.afterEach(async () => {
    const phones = open.splice(0)
    if (test.info().status !== 'passed') {
      await test.info().attach('companion', { body: companion.log() })
      for (const [i, { log }] of phones.entries()) await test.info().attach(`console ${i}`, { body: log.join('\n') })
    }
    for (const firefox of phones) await firefox.close()
    await companion.remove()
    expect(phones.flatMap(({ errors }) => errors)).toEqual([])
  })

  async function launch(options?: FirefoxOptions): Promise<Firefox> {
    const firefox = await launchFirefox(options)
    open.push(firefox)
    return firefox
  }

  test('a file goes directly from one Firefox to another', async () => {
    const file = randomFile(5 * MiB, 'directly from firefox to firefox')
    const sender = await (await launch()).newPage(companion.url)
    const { url, cid } = await shareFile(sender, file)

    const receiver = await (await launch()).newPage(url)
    await shows(receiver, en.get.arrived)
    expect(await contentSha256(receiver, cid)).toBe(file.sha256)
    const ends = [await facts(sender), await facts(receiver)] as const
    for (const [here, there] of [ends, ends.toReversed()]) {
      const links = here?.peers.filter((peer) => peer.peerId === there?.id.peerId)
      expect(links).toContainEqual(expect.objectContaining({ transport: 'webrtc', direct: true, limited: false }))
    }
  })

  test('a file goes from one Firefox to another over the relay, and stays', async () => {
    const file = randomFile(5 * MiB, 'from firefox to firefox')
    const sender = await (await launch(NO_WEBRTC)).newPage(companion.url)
    const { url, cid } = await shareFile(sender, file)

    const receiver = await (await launch(NO_WEBRTC)).newPage(url)
    await shows(receiver, en.get.arrived)
    expect(await contentSha256(receiver, cid)).toBe(file.sha256)
    const { id } = await facts(sender)
    const link = (await facts(receiver)).peers.find((peer) => peer.peerId === id.peerId)
    expect(link).toMatchObject({ transport: 'circuit-relay', direct: false })

    await shellReady(receiver)
    // Sender and relay were all there was of a network.
    await sender.close()
    await companion.stop()
    await receiver.reload()
    await shows(receiver, file.name)
    expect(await kept(receiver)).toMatchObject({ [file.name]: cid })
    expect(await contentSha256(receiver, cid)).toBe(file.sha256)
  })
})

async function shareFile(page: Page, file: RandomFile): Promise<{ cid: string; url: string }> {
  const path = test.info().outputPath(file.name)
  await writeFile(path, file.buffer)
  const input = await page.waitForSelector('input[data-testid="pick-files"]')
  await input?.uploadFile(path)
  await expect.poll(async () => Object.keys(await kept(page)), { timeout: SOON_MS }).toEqual([file.name])
  const { [file.name]: cid = '' } = await kept(page)
  const share = (): Promise<ShareResult> => onNode(page, (node, argument) => node.share(argument.cid), { cid })
  await expect.poll(async () => (await share()).reachable, { timeout: SOON_MS }).toBe(true)
  return { cid, url: (await share()).url }
}

/** Waits until the screen says it. */
async function shows(page: Page, text: string): Promise<void> {
  await expect.poll(() => page.evaluate(() => document.body.innerText), { timeout: SOON_MS }).toContain(text)
}
