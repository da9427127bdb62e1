import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PAGE, SCRIPT, companion, fixtureSite, rawRequest, sendRaw, temporaryFolder } from './support.ts'

const HASHED = '/assets/app-DiwrgTda.js'
const HTML = { accept: 'text/html,application/xhtml+xml' }

async function site(files: Record<string, string | Uint8Array> = {}) {
  const appDir = await fixtureSite(files)
  const { port, ...running } = await companion({ appDir })
  return {
    appDir,
    port,
    reloadApp: () => running.reloadApp(),
    get: (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init),
  }
}

describe('files of the app', () => {
  it.each([
    ['/', 'text/html; charset=utf-8', 'no-cache'],
    ['/index.html', 'text/html; charset=utf-8', 'no-cache'],
    ['/service-worker.js', 'text/javascript; charset=utf-8', 'no-cache'],
    ['/manifest.webmanifest', 'application/manifest+json', 'no-cache'],
    ['/embed.js', 'text/javascript; charset=utf-8', 'no-cache'],
    ['/node.js', 'text/javascript; charset=utf-8', 'no-cache'],
    ['/icons/icon.svg', 'image/svg+xml', 'no-cache'],
    [HASHED, 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/assets/app-BT3x_k-9.css', 'text/css; charset=utf-8', 'public, max-age=31536000, immutable'],
  ])('%s is %s, cached as %s', async (path, type, cache) => {
    const { get } = await site()
    const answer = await get(path)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe(type)
    expect(answer.headers.get('cache-control')).toBe(cache)
  })

  it('puts the security headers on every answer, errors too', async () => {
    const { get } = await site()
    for (const answer of [
      await get('/'),
      await get(HASHED),
      await get('/no.js'),
      await get('/%'),
      await get('/healthz'),
    ]) {
      const policy = answer.headers.get('content-security-policy') ?? ''
      expect(policy.split('; ')).toEqual(
        expect.arrayContaining([
          "default-src 'self'",
          "script-src 'self' 'wasm-unsafe-eval'",
          "object-src 'none'",
          "base-uri 'none'",
          "frame-ancestors 'self'",
          "form-action 'self'",
        ]),
      )
      expect(policy).not.toContain('unsafe-inline')
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'permissions-policy': expect.stringContaining('camera=(self)') as string,
      })
      expect(answer.headers.get('x-powered-by')).toBeNull()
    }
  })

  it.each(['/get/abc', '/ipfs/bafyabc/photo.jpg', '/assets/old-name.js', '/a/b/c/'])(
    'gives the page to a navigation to %s, and 404 to anything else',
    async (path) => {
      const { get } = await site()
      const page = await get(path, { headers: HTML })
      expect([page.status, await page.text()]).toEqual([200, PAGE])
      expect(page.headers.get('cache-control')).toBe('no-cache')
      for (const accept of ['*/*', 'text/css', 'application/json']) {
        const answer = await get(path, { headers: { accept } })
        expect([answer.status, await answer.text()]).toEqual([404, 'There is nothing at this address.\n'])
      }
    },
  )

  it.each([
    '/../../etc/passwd',
    '/..%2f..%2fetc%2fpasswd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/assets/../../site/.build-stamp',
    '/..\\..\\etc\\passwd',
    '//etc/passwd',
    '/.build-stamp',
    '/.hidden/key',
    '/%2ehidden/key',
    '/assets',
    '/assets/',
    '/icons/',
    '/link.txt',
    '/constructor',
    '/__proto__',
  ])('has nothing at %s', async (target) => {
    const appDir = await fixtureSite()
    await writeFile(join(appDir, '..', 'outside.txt'), 'secret')
    await symlink(join(appDir, '..', 'outside.txt'), join(appDir, 'link.txt'))
    const { port } = await companion({ appDir })
    expect((await rawRequest(port, target)).status).toBe(404)
    const page = await rawRequest(port, target, HTML)
    expect([page.status, page.body]).toEqual([200, PAGE])
  })

  it.each(['/%', '/%ff', '/a%00b', 'http://elsewhere/', '*'])('refuses the target %s', async (target) => {
    const { port } = await site()
    expect(await rawRequest(port, target, HTML)).toMatchObject({
      status: 400,
      body: 'This is not an address of the companion.\n',
    })
  })

  it('answers HEAD as GET without the body', async () => {
    const { port } = await site()
    const answer = await rawRequest(port, '/embed.js', {}, 'HEAD')
    expect(answer).toMatchObject({ status: 200, body: '', headers: { 'content-length': String(SCRIPT.length) } })
  })

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])('refuses %s', async (method) => {
    const { port } = await site()
    expect(await rawRequest(port, '/', {}, method)).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
  })

  it.each(['Content-Length: 5\r\n\r\nhello', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'])(
    'takes no body and ends the socket (%j)',
    async (rest) => {
      const { port } = await site()
      const answer = await sendRaw(port, `POST / HTTP/1.1\r\nHost: x\r\n${rest}`)
      expect(answer).toMatch(/^HTTP\/1.1 413 /)
      expect(answer).toContain('This address takes no request body.')
    },
  )
})

describe('ranges', () => {
  it.each([
    ['bytes=0-0', 206, 'bytes 0-0/10', '0'],
    ['bytes=2-4', 206, 'bytes 2-4/10', '234'],
    ['bytes=7-', 206, 'bytes 7-9/10', '789'],
    ['bytes=-3', 206, 'bytes 7-9/10', '789'],
    ['bytes=-99', 206, 'bytes 0-9/10', '0123456789'],
    ['bytes=5-99', 206, 'bytes 5-9/10', '56789'],
    ['bytes=10-', 416, 'bytes */10', undefined],
    ['bytes=-0', 416, 'bytes */10', undefined],
    ['bytes=4-2', 200, null, '0123456789'],
    ['bytes=0-1,3-4', 200, null, '0123456789'],
    ['bytes=x', 200, null, '0123456789'],
    ['bytes=-', 200, null, '0123456789'],
  ])('%s gives %i', async (range, status, contentRange, body) => {
    const { get } = await site({ 'ten.txt': '0123456789' })
    const answer = await get('/ten.txt', { headers: { range } })
    expect([answer.status, answer.headers.get('content-range')]).toEqual([status, contentRange])
    if (body !== undefined) expect(await answer.text()).toBe(body)
  })

  it('keeps a range only while the content is the same', async () => {
    const { get } = await site({ 'ten.txt': '0123456789' })
    const etag = (await get('/ten.txt')).headers.get('etag') ?? ''
    const ask = (condition: string) => get('/ten.txt', { headers: { range: 'bytes=0-1', 'if-range': condition } })
    expect((await ask(etag)).status).toBe(206)
    expect((await ask('"other"')).status).toBe(200)
  })
})

describe('validators and compression', () => {
  it('answers 304 to whoever has it', async () => {
    const { get } = await site()
    const etag = (await get('/index.html')).headers.get('etag') ?? ''
    for (const condition of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const answer = await get('/index.html', { headers: { 'if-none-match': condition } })
      expect([answer.status, await answer.text()]).toEqual([304, ''])
    }
    expect((await get('/index.html', { headers: { 'if-none-match': '"x"' } })).status).toBe(200)
  })

  it('compresses what compresses, under a tag of its own', async () => {
    const { port } = await site()
    const fetchRaw = (encoding: string) => rawRequest(port, HASHED, { 'Accept-Encoding': encoding })
    const plain = await fetchRaw('identity')
    const brotli = await fetchRaw('gzip, deflate, br')
    const gzip = await fetchRaw('br;q=0, gzip;q=0.5')
    expect(plain.body).toBe(SCRIPT)
    expect(brotli.headers['content-encoding']).toBe('br')
    expect(brotliDecompressSync(Buffer.from(brotli.body, 'latin1')).toString()).toBe(SCRIPT)
    expect(gunzipSync(Buffer.from(gzip.body, 'latin1')).toString()).toBe(SCRIPT)
    expect(new Set([plain, brotli, gzip].map(({ headers }) => headers.etag)).size).toBe(3)
    expect(brotli.headers.vary).toBe('accept-encoding')
  })

  it('takes what the build compressed, and does not show it as a file', async () => {
    const { port } = await site({ 'node.js.br': 'made by the build' })
    expect((await rawRequest(port, '/node.js', { 'Accept-Encoding': 'br' })).body).toBe('made by the build')
    expect((await rawRequest(port, '/node.js.br')).status).toBe(404)
  })
})

describe('versions', () => {
  it('serves the version that it read, whatever happens to the folder, until told to read again', async () => {
    const { appDir, get, reloadApp } = await site()
    await writeFile(join(appDir, 'index.html'), 'half a new ver')
    await rm(join(appDir, 'embed.js'))
    expect(await (await get('/')).text()).toBe(PAGE)
    expect((await get('/embed.js')).status).toBe(200)
    await reloadApp()
    expect(await (await get('/')).text()).toBe('half a new ver')
    expect((await get('/embed.js')).status).toBe(404)
  })

  it('keeps the old version if the new one cannot be read', async () => {
    const { appDir, get, reloadApp } = await site()
    await rm(appDir, { recursive: true })
    await expect(reloadApp()).rejects.toThrow('There is no built app')
    expect((await get('/')).status).toBe(200)
  })

  it.each([
    ['missing', {}, 'There is no built app in'],
    ['without a page', {}, 'has no index.html'],
    ['too large', { maxAppBytes: 1024 }, 'is larger than 1024 bytes'],
  ])('refuses a folder that is %s', async (kind, limits, sentence) => {
    const appDir =
      kind === 'missing' ? '/nowhere/dist' : kind === 'too large' ? await fixtureSite() : await temporaryFolder()
    await expect(companion({ appDir, ...limits })).rejects.toThrow(sentence)
  })
})
