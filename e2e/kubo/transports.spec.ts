import type { Page } from '@playwright/test'
import { expect, randomFile, test } from '../support/fixtures.ts'

import { startKubo, type Kubo, type KuboMultiaddrs } from '../support/kubo.ts'
import { addPicked, contentSha256, facts, onNode, placeInput } from '../support/on-node.ts'

const MiB = 1024 * 1024

test.describe('a phone and Kubo', () => {
  let kubo: Kubo
  test.beforeEach(async () => {
    kubo = await startKubo()
  })
  test.afterEach(async () => {
    if (test.info().status !== 'passed') await test.info().attach('kubo', { body: kubo.log() })
    await kubo.stop()
  })

  const dial = (page: Page, target: string): Promise<object> =>
    onNode(page, (node, argument) => node.dial(argument.target), { target })
  const connection = async (page: Page): Promise<object | undefined> =>
    (await facts(page)).peers.find((peer) => peer.peerId === kubo.peerId)

  const routes: [transport: string, address: keyof KuboMultiaddrs][] = [
    ['webtransport', 'webtransport'],
    ['websocket', 'ws'],
  ]
  for (const [transport, address] of routes) {
    test(`the phone fetches a file from Kubo over ${transport}`, async ({ phone }) => {
      const file = randomFile(5 * MiB, `from kubo over ${transport}`)
      const cid = (await kubo.ipfs(['add', '--quieter', '--cid-version=1'], { input: file.buffer })).toString().trim()
      const { page } = await phone('phone')
      const dialled = await dial(page, kubo.multiaddrs[address])
      expect(dialled).toMatchObject({ peerId: kubo.peerId, transport, direct: true, limited: false })

      expect(await contentSha256(page, cid)).toBe(file.sha256)
      expect(await connection(page)).toMatchObject({ transport, direct: true })
    })

    test(`Kubo fetches a file from the phone that dialled it over ${transport}`, async ({ phone }) => {
      const file = randomFile(5 * MiB, `to kubo over ${transport}`)
      const { page } = await phone('phone')
      await page.setInputFiles(await placeInput(page), file)
      const { cid, size } = await addPicked(page)
      expect(size).toBe(file.buffer.length)
      await dial(page, kubo.multiaddrs[address])

      const content = await kubo.ipfs(['cat', cid])
      expect(content.equals(file.buffer)).toBe(true)
      expect(await connection(page)).toMatchObject({ transport, direct: true })
    })
  }
})
