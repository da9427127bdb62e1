/** Sources that cannot be read and storage that does not hold, by the client API: a stable code, nothing half-stored. */
import { rm, truncate, writeFile } from 'node:fs/promises'
import { addPicked, contentSha256, expect, kept, onNode, randomFile, test } from '../support/fixtures.ts'
import { holdNode } from '../support/held-node.ts'
import { codeOf, expectUsable, pick } from '../support/usable.ts'

const MiB = 1024 * 1024

test.describe('a picked file', () => {
  test('that is gone when it is read', async ({ phone }) => {
    const { page } = await phone('gone')
    const path = await pick(page, randomFile(3 * MiB, 'gone'))
    await rm(path)
    expect(await codeOf(addPicked(page))).toBe('ERR_SOURCE_UNREADABLE')
    await expectUsable(page)
  })

  test('that was changed since it was picked', async ({ phone }) => {
    const { page } = await phone('changed')
    const path = await pick(page, randomFile(3 * MiB, 'changed'))
    await writeFile(path, randomFile(2 * MiB, 'by another app').buffer)
    expect(await codeOf(addPicked(page))).toMatch(/^ERR_SOURCE_(CHANGED|UNREADABLE)$/)
    await expectUsable(page)
  })

  test('that is cut off while it is read is whole or not there', async ({ phone }) => {
    const { page } = await phone('cut-off')
    const file = randomFile(64 * MiB, 'cut off')
    const path = await pick(page, file)
    const held = await holdNode(page)
    await held.run(({ node, start, notes }) => {
      const [picked] = document.querySelector<HTMLInputElement>('#test-input')?.files ?? []
      if (picked === undefined) throw new Error('no file is picked')
      notes.begun = new Promise<void>((resolve) => {
        start('add', node.add(picked, { onProgress: () => resolve() }))
      })
    })
    await held.run(({ notes }) => notes.begun as Promise<void>)
    await truncate(path, MiB)
    const result = await codeOf(held.job('add'))
    if (result === 'none') {
      const [cid] = Object.values(await kept(page))
      expect(await contentSha256(page, cid ?? '')).toBe(file.sha256)
      await expectUsable(page, [file.name])
    } else {
      expect(result).toMatch(/^ERR_SOURCE_(CHANGED|UNREADABLE)$/)
      await expectUsable(page)
    }
  })
})

test('a full storage: a code, nothing half-stored, and room for what fits', async ({ phone }) => {
  const one = await phone('full')
  const { page } = one
  // Before the first write: Chromium looks at the quota again only after some time.
  await one.overrideQuota(24 * MiB)
  await expectUsable(page)
  await pick(page, randomFile(40 * MiB, 'does not fit'))
  expect(await codeOf(addPicked(page))).toBe('ERR_QUOTA_EXCEEDED')
  const received = await onNode(page, (node) =>
    node
      .add(
        new ReadableStream<Uint8Array>({
          pull: (controller) => controller.enqueue(crypto.getRandomValues(new Uint8Array(65536))),
        }),
        { name: 'endless' },
      )
      .then(
        () => 'none',
        (error: unknown) => (error as { code: string }).code,
      ),
  )
  expect(received).toBe('ERR_QUOTA_EXCEEDED')
  await expectUsable(page)
})

test('a browser without IndexedDB: all works until the app closes, and the status says so', async ({ phone }) => {
  const noStorage = (): void => {
    indexedDB.open = () => {
      throw new DOMException('A mutation operation was attempted on a database that did not allow it.', 'SecurityError')
    }
  }
  const { page } = await phone('private', { initScript: noStorage, workerScript: noStorage })
  const storage = async (): Promise<object> => (await onNode(page, (node) => node.status())).storage
  expect(await storage()).toMatchObject({ kind: 'memory', code: 'ERR_STORAGE_UNAVAILABLE' })
  await expectUsable(page)
  const file = randomFile(3 * MiB, 'in memory')
  await pick(page, file)
  const { cid } = await addPicked(page)
  expect(await contentSha256(page, cid)).toBe(file.sha256)
})
