import { writeFile } from 'node:fs/promises'
import { expect, test } from '@playwright/test'
import { randomFile } from '../support/files.ts'
import { launchFirefox, type Firefox } from '../support/firefox.ts'
import { serveStatic, type StaticServer } from '../support/static-server.ts'

test.describe('the Firefox helper', () => {
  let firefox: Firefox
  let server: StaticServer
  test.beforeAll(async () => {
    server = await serveStatic({ '/': '<!doctype html><input type="file" aria-label="pick">' })
    firefox = await launchFirefox()
  })
  test.afterAll(async () => {
    await firefox.close()
    await server.stop()
  })

  test('drives a secure page that may have workers and stores', async () => {
    const page = await firefox.newPage(server.url)
    const here = await page.evaluate(() => ({
      secure: isSecureContext,
      worker: typeof SharedWorker,
      store: typeof indexedDB,
      agent: navigator.userAgent,
    }))
    expect(here).toMatchObject({ secure: true, worker: 'function', store: 'object' })
    expect(here.agent).toContain('Firefox')
    await page.close()
  })

  test('gives a page a file from the disk', async () => {
    const file = randomFile(1024 * 1024, 'firefox helper')
    const path = test.info().outputPath(file.name)
    await writeFile(path, file.buffer)
    const page = await firefox.newPage(server.url)
    const input = await page.waitForSelector('input')
    await input?.uploadFile(path)
    const digest = await page.evaluate(async () => {
      const [picked] = document.querySelector('input')?.files ?? []
      const hash = await crypto.subtle.digest('SHA-256', (await picked?.arrayBuffer()) ?? new ArrayBuffer())
      return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
    })
    expect(digest).toBe(file.sha256)
    await page.close()
  })

  test('notices an uncaught error of a page', async () => {
    const page = await firefox.newPage(server.url)
    await page.evaluate(() => {
      setTimeout(() => {
        throw new Error('on purpose')
      })
    })
    await expect.poll(() => firefox.errors.splice(0).join()).toContain('on purpose')
    await page.close()
  })
})
