import { writeFile } from 'node:fs/promises'
import { expect, test } from '@playwright/test'
import { randomFile } from '../support/files.ts'
import { serveStatic, type StaticServer } from '../support/static-server.ts'
import { launchWebKit, type WebKit } from '../support/webkit.ts'

const WORKER = `
onconnect = ({ ports: [port] }) => {
  port.onmessage = async ({ data }) => {
    const database = await new Promise((resolve, reject) => {
      const request = indexedDB.open('helper', 1)
      request.onupgradeneeded = () => request.result.createObjectStore('values')
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
    const store = () => database.transaction('values', 'readwrite').objectStore('values')
    store().put(data, 'key')
    const request = store().get('key')
    request.onsuccess = () => port.postMessage(request.result)
  }
}`

test.describe('the WebKit helper', () => {
  let webkit: WebKit
  let server: StaticServer
  test.beforeAll(async () => {
    server = await serveStatic({ '/': '<!doctype html><input type="file">', '/worker.js': WORKER })
    webkit = await launchWebKit()
  })
  test.afterAll(async () => {
    await webkit.close()
    await server.stop()
  })

  test('drives a page whose shared worker keeps values in IndexedDB', async () => {
    await webkit.goto(server.url)
    const stored = await webkit.evaluate(async () => {
      const { port } = new SharedWorker('/worker.js', { type: 'module' })
      const answer = new Promise((resolve) => (port.onmessage = (event) => resolve(event.data)))
      port.postMessage('from the page')
      return answer
    })
    expect(stored).toBe('from the page')
  })

  test('passes on the error of a page', async () => {
    await webkit.goto(server.url)
    await expect(
      webkit.evaluate(() => {
        throw new TypeError('on purpose')
      }),
    ).rejects.toThrow('on purpose')
  })

  test('gives a page a file from the disk', async () => {
    const file = randomFile(1024 * 1024, 'webkit helper')
    const path = test.info().outputPath(file.name)
    await writeFile(path, file.buffer)
    await webkit.goto(server.url)
    await webkit.sendKeys('input', path)
    const digest = await webkit.evaluate(async () => {
      const [picked] = document.querySelector('input')?.files ?? []
      const hash = await crypto.subtle.digest('SHA-256', (await picked?.arrayBuffer()) ?? new ArrayBuffer())
      return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
    })
    expect(digest).toBe(file.sha256)
  })
})
