/** WebRTC lives in a page that lends it to the worker: what happens when that page is closed or frozen. */
import type { Page } from '@playwright/test'
import { LENDER_LOCK } from '../../src/contract/host-link.ts'
import { expect, randomFile, test } from '../support/fixtures.ts'
import { holdNode, type HeldNode } from '../support/held-node.ts'
import { contentSha256, onNode } from '../support/on-node.ts'
import { linksTo, shareFile } from '../support/share.ts'

const MiB = 1024 * 1024

test.describe('a lending page', () => {
  test('that is closed in mid-transfer hands over to another: the file arrives whole', async ({ phone }) => {
    const sender = await phone('sender')
    const file = randomFile(60 * MiB, 'lender closed')
    const { cid, url, peerId } = await shareFile(sender.page, file)

    const receiver = await phone('receiver')
    const pages = [receiver.page, await receiver.openPage()]
    const lender = await lenderOf(pages)
    const [watcher] = pages.filter((page) => page !== lender)
    if (watcher === undefined) throw new Error('there is no other page')
    const held = await holdNode(watcher)
    await startFetch(held, url, cid)
    await untilFetched(held, 15 * MiB)
    expect(await linksTo(watcher, peerId)).toContainEqual(
      expect.objectContaining({ transport: 'webrtc', direct: true }),
    )
    const closed = Date.now()
    await lender.close()
    const { atClose } = await held.run(({ notes }) => ({ atClose: notes.bytes as number }))
    expect(atClose, 'the transfer was still under way').toBeLessThan(file.buffer.byteLength)

    await held.job('fetch')
    expect(await contentSha256(watcher, cid)).toBe(file.sha256)
    const again = (await linksTo(watcher, peerId)).filter(({ transport }) => transport === 'webrtc')
    expect(again, 'a new direct connection, through the page that is left').toHaveLength(1)
    expect(again[0]?.openedAt).toBeGreaterThan(closed)
    expect(await lenderOf([watcher])).toBe(watcher)
  })

  test('that is frozen is replaced by one that is not', async ({ phone }) => {
    const sender = await phone('sender')
    const file = randomFile(4 * MiB, 'lender frozen')
    const { cid, url, peerId } = await shareFile(sender.page, file)

    const receiver = await phone('receiver', { ownBrowser: true })
    const other = await receiver.openPage()
    const lender = await lenderOf([receiver.page, other])
    const visible = lender === other ? receiver.page : other
    await visible.bringToFront()
    await receiver.freeze(lender)
    const held = await holdNode(visible)
    await startFetch(held, url, cid)
    await held.job('fetch')
    expect(await contentSha256(visible, cid)).toBe(file.sha256)
    await expect
      .poll(() => linksTo(visible, peerId), { timeout: 20_000 })
      .toContainEqual(expect.objectContaining({ transport: 'webrtc', direct: true }))
    await receiver.thaw(lender)
  })
})

test('twenty dials over WebRTC, one after the other, all succeed', async ({ phone }) => {
  const sender = await phone('sender')
  const { peerId, webrtcAddr } = await shareFile(sender.page, randomFile(1024, 'dialled'))
  const { page } = await phone('dialler')
  const dials = await onNode(
    page,
    async (node, target) => {
      const results: string[] = []
      for (let i = 0; i < 20; i++) {
        try {
          const { transport, direct } = await node.dial(target.addr)
          results.push(`${transport} ${String(direct)}`)
        } catch (error) {
          results.push((error as { code: string }).code)
        }
        await node.hangUp(target.peerId)
      }
      return results
    },
    { addr: webrtcAddr, peerId },
  )
  expect(dials).toEqual(Array.from({ length: 20 }, () => 'webrtc true'))
})

/** The page that lends: the lock tells, by the id that the browser gives to its holder. */
async function lenderOf(pages: Page[]): Promise<Page> {
  let found: Page | undefined
  await expect
    .poll(async () => {
      for (const page of pages) if (await page.evaluate(holdsLock, LENDER_LOCK)) found = page
      return found !== undefined
    })
    .toBe(true)
  return found as unknown as Page
}

async function holdsLock(name: string): Promise<boolean> {
  const own = crypto.randomUUID()
  return navigator.locks.request(own, async () => {
    const { held = [] } = await navigator.locks.query()
    const holder = (lock: string): string | undefined => held.find((each) => each.name === lock)?.clientId
    return holder(name) !== undefined && holder(name) === holder(own)
  })
}

/** Opens the link and fetches what it names; notes the bytes that have arrived. */
async function startFetch(held: HeldNode, url: string, cid: string): Promise<void> {
  await held.run(
    async ({ node, start, notes }, target) => {
      await node.open(target.url)
      notes.bytes = 0
      start(
        'fetch',
        node.pin.add(target.cid, {
          onProgress: ({ bytes }) => {
            notes.bytes = bytes
          },
        }),
      )
    },
    { url, cid },
  )
}

async function untilFetched(held: HeldNode, bytes: number): Promise<void> {
  await held.run(
    ({ notes, jobs }, target) =>
      new Promise<void>((resolve, reject) => {
        const look = (): void => {
          if ((notes.bytes as number) >= target.bytes) resolve()
          else if (jobs.fetch?.state === 'failed') reject(new Error(jobs.fetch.error))
          else setTimeout(look, 10)
        }
        look()
      }),
    { bytes },
  )
}
