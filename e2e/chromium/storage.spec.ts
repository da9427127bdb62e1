/** What was reported as stored outlives whatever ends the browser; what was not is not reported. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { holdNode } from '../support/held-node.ts'
import { expect, randomFile, test } from '../support/fixtures.ts'
import { addPicked, contentSha256, facts, kept, onNode, placeInput } from '../support/on-node.ts'
import { launchOwnChromium } from '../support/own-chromium.ts'

const MiB = 1024 * 1024

test.describe('a browser that is killed', () => {
  let profile: string
  test.beforeEach(async () => {
    profile = await mkdtemp(join(tmpdir(), 'pocket-killed-'))
  })
  test.afterEach(async () => {
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })

  test('as soon as a file was added has the file when it starts again', async ({ appUrl }) => {
    const file = randomFile(12 * MiB, 'killed after add')
    const first = await launchOwnChromium({ profile })
    let cid: string
    let peerId: string
    try {
      const page = await first.context.newPage()
      await page.goto(appUrl)
      ;({
        id: { peerId },
      } = await facts(page))
      await page.locator(await placeInput(page)).setInputFiles(file)
      ;({ cid } = await addPicked(page))
      await first.kill()
    } finally {
      await first.close()
    }

    const second = await launchOwnChromium({ profile })
    try {
      const page = await second.context.newPage()
      await page.goto(appUrl)
      expect(await kept(page)).toEqual({ [file.name]: cid })
      expect(await contentSha256(page, cid)).toBe(file.sha256)
      expect((await facts(page)).id.peerId).toBe(peerId)
    } finally {
      await second.close()
    }
  })

  test('while a file is added does not list it when it starts again', async ({ appUrl }) => {
    const first = await launchOwnChromium({ profile })
    try {
      const page = await first.context.newPage()
      await page.goto(appUrl)
      await startEndlessAdd(page)
      await first.kill()
    } finally {
      await first.close()
    }

    const second = await launchOwnChromium({ profile })
    try {
      const page = await second.context.newPage()
      await page.goto(appUrl)
      expect(await kept(page)).toEqual({})
      const { cid } = await onNode(page, (node) => node.add(new TextEncoder().encode('after'), { name: 'after' }))
      expect(await kept(page)).toEqual({ after: cid })
    } finally {
      await second.close()
    }
  })
})

test('a page that reloads while it adds a stream leaves nothing half-stored in the list', async ({ phone }) => {
  const { page } = await phone('reloading')
  await startEndlessAdd(page)
  await page.reload()
  expect(await kept(page)).toEqual({})
  expect(await onNode(page, (node) => node.transfers.list())).toEqual([])
})

/** Adds a stream that has no end; resolves when more than a few batches of it are in the store. */
async function startEndlessAdd(page: Parameters<typeof holdNode>[0]): Promise<void> {
  const held = await holdNode(page)
  await held.run(({ node, start, notes }) => {
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(crypto.getRandomValues(new Uint8Array(65536))),
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    notes.farEnough = promise
    start(
      'add',
      node.add(endless, {
        name: 'half',
        onProgress: ({ bytes }) => {
          if (bytes > 20 * 1024 * 1024) resolve()
        },
      }),
    )
  })
  await held.run(({ notes }) => notes.farEnough as Promise<void>)
}
