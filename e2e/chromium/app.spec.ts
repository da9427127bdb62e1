/** The screens, as a person meets them: ways to add, undo, receive by camera, update, keyboard, history, and axe. */
import { createServer, type Server } from 'node:http'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { en } from '../../src/app/strings/en.ts'
import { expect, onNode, randomFile, sha256, sha256OfDownload, shellReady, test } from '../support/fixtures.ts'

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

test('adds by drop, paste, camera and several at once', async ({ phone }) => {
  const { page } = await phone('phone')
  const root = test.info().outputPath('trip')
  await mkdir(join(root, 'photos'), { recursive: true })
  await writeFile(join(root, 'photos', 'a.txt'), 'a')
  await writeFile(join(root, 'read me.txt'), 'b')
  const lone = test.info().outputPath('lone.txt')
  await writeFile(lone, 'lone')

  await dropPaths(page, [root])
  await expect(tile(page, 'trip')).toBeVisible()
  await dropPaths(page, [lone])
  await expect(tile(page, 'lone.txt')).toBeVisible()
  await page.getByTestId('pick-files').setInputFiles([textFile('image.jpg', 'one'), textFile('image.jpg', 'two')])
  await expect(tile(page, /^2 files/)).toBeVisible()
  await page.getByTestId('pick-camera').setInputFiles(textFile('shot.jpg', 'shot'))
  await expect(tile(page, 'shot.jpg')).toBeVisible()
  await page.evaluate(() => navigator.clipboard.writeText('from the clipboard'))
  await page.getByRole('button', { name: en.home.paste, exact: true }).click()
  await expect(tile(page, /^Pasted text/)).toHaveCount(1)
  await page.evaluate(() => navigator.clipboard.writeText('by the key'))
  await page.keyboard.press('Control+V')
  await expect(tile(page, /^Pasted text/)).toHaveCount(2)

  await tile(page, 'trip').click()
  await page.getByRole('link', { name: 'photos' }).click()
  await expect(page.getByRole('link', { name: 'a.txt' })).toBeVisible()
  await page.goto(new URL('/#/', page.url()).href)
  await tile(page, /^2 files/).click()
  await expect(page.getByTestId('entries').getByRole('listitem')).toHaveText([/image \(2\)\.jpg/, /image\.jpg/])
})

test('Undo of Remove brings back the very same; without it the pin is gone', async ({ phone }) => {
  const { page } = await phone('phone')
  for (const name of ['first.txt', 'second.txt', 'third.txt']) {
    await page.getByTestId('pick-files').setInputFiles(textFile(name, name))
    await expect(tile(page, name)).toBeVisible()
  }
  const before = await pins(page)
  await removeItem(page, 'second.txt')
  await expect(page.getByTestId('library').getByRole('link')).toHaveText([/third/, /first/])
  await page.getByRole('button', { name: en.undo }).click()
  await expect(page.getByTestId('library').getByRole('link')).toHaveText([/third/, /second/, /first/])
  expect(await pins(page)).toEqual(before)

  await removeItem(page, 'second.txt')
  await page.getByTestId('notice').getByRole('button', { name: en.dismiss }).click()
  await expect.poll(async () => (await pins(page)).map(({ name }) => name)).toEqual(['third.txt', 'first.txt'])
  await expect(page.getByTestId('library').getByRole('link')).toHaveText([/third/, /first/])
})

test('shows pictures, videos, sounds, PDFs and texts, and saves the bytes as they are', async ({ phone }) => {
  const { page } = await phone('phone')
  const picture = await drawPicture(page)
  const all = [
    { name: 'picture.png', buffer: picture, element: 'img' },
    { name: 'film.webm', buffer: await recordVideo(page), element: 'video' },
    { name: 'sound.wav', buffer: silence(), element: 'audio' },
    { name: 'paper.pdf', buffer: Buffer.from('%PDF-1.4\n%%EOF'), element: 'iframe, figure' },
    { name: 'notes.txt', buffer: Buffer.from('plain words'), element: 'pre' },
  ]
  for (const { name, buffer, element } of all) {
    await page.getByTestId('pick-files').setInputFiles({ name, mimeType: 'application/octet-stream', buffer })
    await tile(page, name).click()
    await expect(page.getByTestId('item-name')).toHaveText(name)
    await expect(page.locator(`main :is(${element})`).first()).toBeVisible()
    if (element === 'img') await expect.poll(() => widthOf(page)).toBe(64)
    await page.getByRole('button', { name: en.back }).click()
  }
  await expect(page.locator('[data-testid=library] a:has-text("picture.png") img')).toBeVisible()
  await tile(page, 'picture.png').click()
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: en.item.save }).click()
  expect(await sha256OfDownload(await download)).toBe(sha256(picture))
  // The browser says nothing back: nobody knows yet whether it is saved.
  await expect(page.getByTestId('notice')).toContainText(en.item.handed('picture.png'))
})

test('a folder is written to a picked place where there is a picker, and says what to do where there is none', async ({
  phone,
}) => {
  const files = [randomFile(300_000, 'save one', 'one.bin'), randomFile(10, 'save two', 'two.bin')]
  const root = test.info().outputPath('set')
  await mkdir(root, { recursive: true })
  for (const { name, buffer } of files) await writeFile(join(root, name), buffer)
  // A dialog of the system cannot be driven: the browser's private file system stands for the picked folder.
  const withPicker = await phone('with picker', {
    initScript: () => {
      Object.assign(window, { showDirectoryPicker: () => navigator.storage.getDirectory() })
    },
  })
  await withPicker.page.getByTestId('pick-folder').setInputFiles(root)
  await tile(withPicker.page, 'set').click()
  for (const name of ['set', 'set (2)']) {
    await withPicker.page.getByRole('button', { name: en.item.saveFolder }).click()
    await expect.poll(() => opfsDigests(withPicker.page, name)).toEqual(digests(files))
  }
  await expect(withPicker.page.getByTestId('notice')).toContainText(en.item.saved('set'))

  const without = await phone('without', { initScript: () => Reflect.deleteProperty(window, 'showDirectoryPicker') })
  await without.page.getByTestId('pick-folder').setInputFiles(root)
  await tile(without.page, 'set').click()
  await expect(without.page.getByText(en.item.saveFolderHere)).toBeVisible()
  await expect(without.page.getByRole('button', { name: en.item.saveFolder })).toHaveCount(0)
})

test('the camera reads the code of a Share page', async ({ phone }) => {
  const sender = await phone('sender')
  await sender.page.getByTestId('pick-files').setInputFiles(textFile('scanned.txt', 'seen'))
  await tile(sender.page, 'scanned.txt').click()
  await sender.page.getByRole('link', { name: en.item.share }).click()
  await expect(sender.page.getByTestId('share-link')).toHaveAttribute('data-reachable', 'true', { timeout: 20_000 })
  const qr = (await sender.page.getByTestId('qr').getAttribute('src')) ?? ''

  const { page } = await phone('receiver', { path: '/#/receive' })
  await page.evaluate(cameraShows, qr)
  await page.getByRole('button', { name: en.receive.scan }).click()
  await expect(page.getByText(en.get.arrived)).toBeVisible({ timeout: 30_000 })
  await expect(page.getByTestId('item-name')).toHaveText('scanned.txt')
})

test('a refused camera is told with a way round', async ({ phone }) => {
  const { page } = await phone('phone', { path: '/#/receive', permissions: [] })
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))
  })
  await page.getByRole('button', { name: en.receive.scan }).click()
  await expect(page.getByRole('alert')).toHaveText(en.receive.cameraDenied)
  await expect(page.getByRole('button', { name: en.receive.scan })).toBeVisible()
})

test('a link that is no link says so and offers another way; a link without a name gets one', async ({ phone }) => {
  const sender = await phone('sender')
  await sender.page.getByTestId('pick-files').setInputFiles(textFile('words.txt', 'some words'))
  await tile(sender.page, 'words.txt').click()
  await sender.page.getByRole('link', { name: en.item.share }).click()
  const link = sender.page.getByTestId('share-link')
  await expect(link).toHaveAttribute('data-reachable', 'true', { timeout: 20_000 })
  const url = new URL(await link.inputValue())
  const [path = '', query = ''] = url.hash.split('?')
  const parameters = new URLSearchParams(query)
  parameters.delete('name')

  const { page } = await phone('receiver', { path: '/#/get/nonsense' })
  await expect(page.getByTestId('failure')).toBeVisible()
  await page.getByRole('link', { name: en.get.otherLink }).click()
  await page.getByRole('textbox', { name: en.receive.link }).fill(`${url.origin}/${path}?${parameters.toString()}`)
  await page.getByRole('button', { name: en.receive.open }).click()
  await expect(page.getByText(en.get.arrived)).toBeVisible({ timeout: 30_000 })
  expect((await pins(page)).map(({ name }) => name)).toEqual([expect.stringMatching(/^Text .*\.txt$/)])
})

test('by keyboard alone: from adding to the link; back and reload lead where one was', async ({ phone }) => {
  const { page } = await phone('phone')
  await page.getByTestId('empty').waitFor()
  await tabTo(page, en.home.add)
  const chooser = page.waitForEvent('filechooser')
  await page.keyboard.press('Enter')
  await (await chooser).setFiles(textFile('typed.txt', 'typed'))
  await tile(page, 'typed.txt').waitFor()
  await tabTo(page, 'typed.txt')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('item-name')).toHaveText('typed.txt')
  await tabTo(page, en.item.share)
  await page.keyboard.press('Enter')
  await page.getByTestId('qr').waitFor()
  await tabTo(page, en.share.copy)
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('notice')).toHaveText(en.copied)
  const shared = page.url()
  await page.reload()
  await expect(page.getByTestId('qr')).toBeVisible()
  expect(page.url()).toBe(shared)
  await page.goBack()
  await expect(page.getByTestId('item-name')).toHaveText('typed.txt')
  await page.goBack()
  await expect(tile(page, 'typed.txt')).toBeVisible()
  await page.getByRole('link', { name: en.nav.status, exact: true }).click()
  await page.getByRole('link', { name: en.nav.settings, exact: true }).click()
  await page.goBack()
  await expect(tile(page, 'typed.txt')).toBeVisible()
})

test('the theme holds over a reload; the relay of the site is not the person’s', async ({ phone }) => {
  const { page } = await phone('phone', { path: '/#/settings' })
  await page.getByRole('radio', { name: en.settings.themes.dark }).check()
  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await expect(page.getByText(en.settings.relayOfSite).first()).toBeVisible()
  const relay = '/ip4/127.0.0.1/tcp/1/ws/p2p/12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo'
  await page.getByRole('textbox', { name: en.settings.relayAddress }).fill(relay)
  await page.getByRole('button', { name: en.settings.addRelay }).click()
  await page.getByRole('button', { name: en.settings.removeRelay(relay) }).click()
  await expect(page.getByTestId('notice')).toHaveText(en.settings.relayRemoved)
  await expect(page.getByRole('button', { name: /Remove relay/ })).toHaveCount(0)
  await expect(page.getByText(en.settings.relayOfSite).first()).toBeVisible()
})

test('installing is offered once there is something, and never again after no', async ({ phone }) => {
  const { page } = await phone('phone')
  await page.getByTestId('empty').waitFor()
  const offer = page.getByTestId('install-offer')
  const browserOffers = (): Promise<boolean> => page.evaluate(() => dispatchEvent(new Event('beforeinstallprompt')))
  await browserOffers()
  await expect(offer).toHaveCount(0)
  await page.getByTestId('pick-files').setInputFiles(textFile('a.txt', 'a'))
  await expect(offer).toBeVisible()
  await offer.getByRole('button', { name: en.banner.notNow }).click()
  await expect(offer).toHaveCount(0)
  await page.reload()
  await tile(page, 'a.txt').waitFor()
  await browserOffers()
  await expect(offer).toHaveCount(0)
})

test('a new version waits for the tap, and comes to every page with it', async ({ phone, appUrl }) => {
  const site = await proxy(appUrl)
  try {
    // Its first visit: no service worker controls this page.
    const { page: first, context } = await phone('phone', { appUrl: site.url })
    await shellReady(first)
    const page = await context.newPage()
    await page.goto(first.url())
    const pages = [first, page]
    for (const each of pages) {
      await each.getByTestId('empty').waitFor()
      await each.evaluate(() => Object.assign(window, { oldPage: true }))
    }
    site.release()
    await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()))
    await expect(page.getByTestId('update-banner')).toContainText(en.banner.update)
    for (const each of pages) expect(await each.evaluate(() => 'oldPage' in window)).toBe(true)
    await page.getByRole('button', { name: en.banner.updateNow }).click()
    for (const each of pages) {
      await each.waitForFunction(() => !('oldPage' in window))
      await expect(each.getByTestId('empty')).toBeVisible()
      await expect(each.getByTestId('update-banner')).toHaveCount(0)
    }
  } finally {
    site.stop()
  }
})

for (const scheme of ['light', 'dark'] as const) {
  test(`no serious finding of axe on any screen, ${scheme}`, async ({ phone }) => {
    const { page } = await phone('phone')
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    await page.getByTestId('empty').waitFor()
    const found = { empty: await serious(page) } as Record<string, string[]>
    await page.getByTestId('pick-files').setInputFiles(textFile('words.txt', 'words'))
    await tile(page, 'words.txt').waitFor()
    found.home = await serious(page)
    await tile(page, 'words.txt').click()
    await page.getByTestId('preview').waitFor()
    await page.getByTestId('details').locator('summary').click()
    found.item = await serious(page)
    await page.getByRole('link', { name: en.item.share }).click()
    await page.getByTestId('qr').waitFor()
    found.share = await serious(page)
    for (const [name, hash, ready] of [
      ['bad link', '#/get/nonsense', '[data-testid=failure]'],
      ['receive', '#/receive', '.scan'],
      ['status', '#/status', '[data-testid=reach]'],
      ['settings', '#/settings', 'input[name=theme]'],
      ['unknown', '#/nowhere', 'main h1'],
    ] as const) {
      await page.goto(new URL(`/${hash}`, page.url()).href)
      await page.locator(ready).first().waitFor()
      found[name] = await serious(page)
    }
    expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([])
  })
}

interface Input {
  name: string
  mimeType: string
  buffer: Buffer
}

function textFile(name: string, text: string): Input {
  return { name, mimeType: 'text/plain', buffer: Buffer.from(text) }
}

function tile(page: Page, name: string | RegExp): ReturnType<Page['locator']> {
  return page.getByTestId('library').getByRole('link', { name })
}

/** A real drop from outside the browser, so that folders are walked. */
async function dropPaths(page: Page, files: string[]): Promise<void> {
  const box = await page.getByRole('button', { name: en.home.add }).boundingBox()
  const cdp = await page.context().newCDPSession(page)
  const at = { x: (box?.x ?? 0) + 40, y: (box?.y ?? 0) + 40, data: { items: [], files, dragOperationsMask: 1 } }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await cdp.send('Input.dispatchDragEvent', { type, ...at })
  await cdp.detach()
}

function pins(page: Page): Promise<{ name: string; addedAt: number; origin: string }[]> {
  return onNode(page, async (node) => {
    const all: { name: string; addedAt: number; origin: string }[] = []
    for await (const { name, addedAt, origin } of node.pin.ls()) all.push({ name, addedAt, origin })
    return all.sort((a, b) => b.addedAt - a.addedAt)
  })
}

async function removeItem(page: Page, name: string): Promise<void> {
  await tile(page, name).click()
  await page.getByRole('button', { name: en.item.remove }).click()
  await expect(page.getByTestId('notice')).toContainText(en.item.removed(name))
}

async function drawPicture(page: Page): Promise<Buffer> {
  const url = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 })
    canvas.getContext('2d')?.fillRect(8, 8, 20, 20)
    return canvas.toDataURL('image/png')
  })
  return Buffer.from(url.split(',')[1] ?? '', 'base64')
}

async function recordVideo(page: Page): Promise<Buffer> {
  const bytes = await page.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 })
    const context = canvas.getContext('2d')
    const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: 'video/webm' })
    const parts: Blob[] = []
    const stopped = new Promise((resolve) => (recorder.onstop = resolve))
    const some = new Promise((resolve) => {
      recorder.ondataavailable = ({ data }) => {
        parts.push(data)
        if (data.size > 0) resolve(undefined)
      }
    })
    recorder.start(100)
    const drawing = setInterval(() => context?.fillRect(Math.random() * 64, 0, 8, 48), 30)
    await some
    clearInterval(drawing)
    recorder.stop()
    await stopped
    return [...new Uint8Array(await new Blob(parts).arrayBuffer())]
  })
  return Buffer.from(bytes)
}

/** A second of silence as WAV. */
function silence(): Buffer {
  const wav = Buffer.alloc(44 + 8000)
  wav.write('RIFF', 0)
  wav.writeUInt32LE(36 + 8000, 4)
  wav.write('WAVEfmt ', 8)
  for (const [value, at] of [
    [16, 16],
    [8000, 24],
    [8000, 28],
    [8000, 40],
  ] as const)
    wav.writeUInt32LE(value, at)
  for (const [value, at] of [
    [1, 20],
    [1, 22],
    [1, 32],
    [8, 34],
  ] as const)
    wav.writeUInt16LE(value, at)
  wav.write('data', 36)
  return wav
}

function widthOf(page: Page): Promise<number> {
  return page.locator('main figure img').evaluate((image: HTMLImageElement) => image.naturalWidth)
}

function digests(files: { name: string; sha256: string }[]): Record<string, string> {
  return Object.fromEntries(files.map((file) => [file.name, file.sha256]))
}

function opfsDigests(page: Page, folder: string): Promise<Record<string, string>> {
  return page.evaluate(async (name) => {
    const found: Record<string, string> = {}
    try {
      const directory = await (await navigator.storage.getDirectory()).getDirectoryHandle(name)
      for await (const [key, handle] of directory.entries()) {
        const content = await (await (handle as FileSystemFileHandle).getFile()).arrayBuffer()
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content))
        found[key] = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
      }
    } catch {
      // Not there yet.
    }
    return found
  }, folder)
}

/** Runs in the page: its camera films the picture, small and off the middle, as a hand holds it. */
async function cameraShows(source: string): Promise<void> {
  const image = new Image()
  image.src = source
  await image.decode()
  const canvas = Object.assign(document.createElement('canvas'), { width: 960, height: 720 })
  const context = canvas.getContext('2d')
  navigator.mediaDevices.getUserMedia = () => {
    setInterval(() => {
      if (context === null) return
      context.fillStyle = '#8a8f80'
      context.fillRect(0, 0, 960, 720)
      context.drawImage(image, 200, 60, 600, 600)
    }, 50)
    return Promise.resolve(canvas.captureStream(20))
  }
}

/** Presses Tab until what has the focus is called so. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate(() => {
      const active = document.activeElement
      // The page itself has the focus at first, and all words in it.
      return active?.matches('a, button') === true ? (active.getAttribute('aria-label') ?? active.textContent) : ''
    })
    if (focused.includes(name)) return
  }
  throw new Error(`Tab does not reach ${name}`)
}

async function serious(page: Page): Promise<string[]> {
  // By DevTools: the page's policy refuses scripts that are not its own.
  if (!(await page.evaluate(() => 'axe' in window))) {
    await page.evaluate(await readFile(axePath, 'utf8'))
  }
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }
    interface Violation {
      id: string
      impact: string
      nodes: { target: string[]; failureSummary: string }[]
    }
    const { violations } = await axe.run()
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} ${failureSummary}`),
      )
  })
}

/** The app behind an origin of its own; after `release` its service worker is another version. */
async function proxy(appUrl: string): Promise<{ url: string; release(): void; stop(): void }> {
  let version = ''
  const server: Server = createServer((request, response) => {
    void fetch(new URL(request.url ?? '/', appUrl)).then(async (upstream) => {
      const body = Buffer.from(await upstream.arrayBuffer())
      const changed = request.url === '/service-worker.js' ? Buffer.concat([body, Buffer.from(version)]) : body
      response.writeHead(upstream.status, { 'content-type': upstream.headers.get('content-type') ?? 'text/plain' })
      response.end(changed)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', () => resolve()))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://localhost:${String(port)}`,
    release: () => void (version = '\n// the next version'),
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}
