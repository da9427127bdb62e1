/** The helpers of this folder, tried on a page of their own: what they claim to do to a phone must happen. */
import { openPhone, type Phone } from './support/phone.ts'
import { expect, test } from './support/fixtures.ts'
import { serveStatic, type StaticServer } from './support/static-server.ts'

const WORKER = `
const born = crypto.randomUUID()
onconnect = ({ ports: [port] }) => {
  port.onmessage = async ({ data }) => {
    if (data === 'born') port.postMessage(born)
    else port.postMessage(await fetch(data).then(() => 'reached', () => 'unreached'))
  }
}`
const PAGE = `<!doctype html><meta name="viewport" content="width=device-width"><script type="module">
window.ask = (question) => new Promise((resolve) => {
  const { port } = new SharedWorker('/worker.js')
  port.onmessage = ({ data }) => resolve(data)
  port.postMessage(question)
})
window.ticks = 0
setInterval(() => window.ticks++, 10)
</script>`

declare global {
  interface Window {
    ask(question: string): Promise<string>
    ticks: number
  }
}

test.describe('a phone of these tests', () => {
  let server: StaticServer
  let phone: Phone
  test.beforeEach(async ({ browser, cdp, device }) => {
    server = await serveStatic({ '/': PAGE, '/worker.js': WORKER })
    phone = await openPhone('helper', { browser, cdp, appUrl: server.url, device })
  })
  test.afterEach(async () => {
    await phone.close()
    await server.stop()
  })

  test('has a phone’s size and touch', async () => {
    const { width, touch } = await phone.page.evaluate(() => ({ width: innerWidth, touch: navigator.maxTouchPoints }))
    expect(width).toBeLessThan(450)
    expect(touch).toBeGreaterThan(0)
  })

  test('loses its shared worker without an event, and starts another', async ({ browser, cdp, device }) => {
    const other = await openPhone('bystander', { browser, cdp, appUrl: server.url, device })
    const ask = (on: Phone): Promise<string> => on.page.evaluate(() => window.ask('born'))
    const [first, bystander] = [await ask(phone), await ask(other)]
    expect(await ask(phone)).toBe(first)
    expect(await phone.killSharedWorkers()).toBe(1)
    await expect.poll(() => ask(phone)).not.toBe(first)
    expect(await ask(other)).toBe(bystander)
    await other.close()
  })

  test('has no network in aeroplane mode, in its page and in its shared worker', async () => {
    const { page } = phone
    const url = `${server.url}/?fresh`
    const fromPage = (): Promise<string> =>
      page.evaluate(
        (target) =>
          fetch(target).then(
            () => 'reached',
            () => 'unreached',
          ),
        url,
      )
    const fromWorker = (): Promise<string> => page.evaluate((target) => window.ask(target), url)
    expect([await fromPage(), await fromWorker()]).toEqual(['reached', 'reached'])
    await phone.setOffline(true)
    expect([await fromPage(), await fromWorker()]).toEqual(['unreached', 'unreached'])
    await phone.setOffline(false)
    expect([await fromPage(), await fromWorker()]).toEqual(['reached', 'reached'])
  })

  test('stores no more than its quota', async () => {
    await phone.overrideQuota(1024 * 1024)
    const stored = await phone.page.evaluate(async () => {
      const cache = await caches.open('helper')
      const body = crypto.getRandomValues(new Uint8Array(65536))
      try {
        for (let i = 0; i < 64; i++) await cache.put(`/${i}`, new Response(body))
        return 'everything'
      } catch (error) {
        return (error as Error).name
      }
    })
    expect(stored).toBe('QuotaExceededError')
  })

  test('reports what its pages did not catch', async () => {
    await phone.page.evaluate(() => {
      setTimeout(() => {
        throw new Error('on purpose')
      })
    })
    await expect.poll(() => phone.errors.join()).toContain('on purpose')
  })
})

test('a phone with a browser of its own stands still while frozen', async ({ browser, cdp, device }) => {
  const server = await serveStatic({ '/': PAGE })
  const phone = await openPhone('own', { browser, cdp, appUrl: server.url, device }, { ownBrowser: true })
  const { page } = phone
  await page.waitForFunction(() => window.ticks > 3)
  await phone.freeze()
  const before = await page.evaluate(() => window.ticks)
  // Some turns of its event loop, by round trips from outside, since its own timers stand.
  for (let i = 0; i < 50; i++) await page.evaluate(() => document.visibilityState)
  const during = await page.evaluate(() => window.ticks)
  expect(during).toBe(before)
  await phone.thaw()
  await page.waitForFunction((ticks) => window.ticks > ticks, during)
  await phone.close()
  await server.stop()
})
