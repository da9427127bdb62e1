import { writeFile } from 'node:fs/promises'
import { expect, test } from '@playwright/test'
import type { Page } from 'puppeteer-core'
import type { ShareResult } from '../../src/contract/node-api.ts'
import { startCompanion, type Companion } from '../support/companion.ts'
import { randomFile, type RandomFile } from '../support/files.ts'
import { launchFirefox, type Firefox, type FirefoxOptions } from '../support/firefox.ts'
import { addPicked, contentSha256, facts, kept, onNode, placeInput, shellReady } from '../support/on-node.ts'

const MiB = 1024 * 1024
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

  async function launch(options: FirefoxOptions): Promise<Firefox> {
    const firefox = await launchFirefox(options)
    open.push(firefox)
    return firefox
  }

  test('a file goes from one Firefox to another over the relay, and stays', async () => {
    const file = randomFile(5 * MiB, 'from firefox to firefox')
    const sender = await (await launch(NO_WEBRTC)).newPage(companion.url)
    const { url, cid } = await shareFile(sender, file)

    const receiver = await (await launch(NO_WEBRTC)).newPage(url)
    await onNode(
      receiver,
      async (node, { url, name }) => {
        const link = await node.open(url)
        await node.pin.add(link.cid, { name })
      },
      { url, name: file.name },
    )
    expect(await contentSha256(receiver, cid)).toBe(file.sha256)
    const { id } = await facts(sender)
    const link = (await facts(receiver)).peers.find((peer) => peer.peerId === id.peerId)
    expect(link).toMatchObject({ transport: 'circuit-relay', direct: false })

    await shellReady(receiver)
    // Sender and relay were all there was of a network.
    await sender.close()
    await companion.stop()
    await receiver.reload()
    expect(await kept(receiver)).toMatchObject({ [file.name]: cid })
    expect(await contentSha256(receiver, cid)).toBe(file.sha256)
  })
})

async function shareFile(page: Page, file: RandomFile): Promise<{ cid: string; url: string }> {
  const path = test.info().outputPath(file.name)
  await writeFile(path, file.buffer)
  await placeInput(page)
  const input = await page.waitForSelector('input#test-input')
  await input?.uploadFile(path)
  const { cid } = await addPicked(page)
  const share = (): Promise<ShareResult> => onNode(page, (node, argument) => node.share(argument.cid), { cid })
  await expect.poll(async () => (await share()).reachable, { timeout: 30_000 }).toBe(true)
  return { cid, url: (await share()).url }
}
