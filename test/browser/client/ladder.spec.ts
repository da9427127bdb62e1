import { afterEach, describe, expect, it } from 'vitest'
import { HOST_LOCK, HOST_PROTOCOL, workerName } from '../../../src/contract/host-link.ts'
import { closeTabs, ECHO_WORKER, locks, openTab, type Tab } from './tabs.ts'

afterEach(closeTabs)

const fixture = (name: string): URL => new URL(`./fixtures/${name}.ts`, import.meta.url)
const COMPANION = {
  version: 1,
  peerId: '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA',
  multiaddrs: ['/dns4/pocket.example/tcp/443/tls/ws/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'],
  endpoints: { health: '/healthz' },
  limits: { reservations: 1, reservationSeconds: 1, circuitBytes: 1, circuitSeconds: 1 },
}
const FALLBACK = { fallback: 'dedicated-worker' } as const

describe('the ladder', () => {
  it('takes a dedicated worker where there is no SharedWorker', async () => {
    const tab = await openTab()
    Reflect.deleteProperty(tab.window, 'SharedWorker')
    expect((await (await tab.connect()).status()).host).toBe('dedicated-worker')
  })

  it('takes a dedicated worker where SharedWorkers are not allowed', async () => {
    const tab = await openTab()
    Object.assign(tab.window, {
      SharedWorker: function () {
        throw new DOMException('Denied', 'SecurityError')
      },
    })
    expect((await (await tab.connect()).status()).host).toBe('dedicated-worker')
  })

  it.each([{}, FALLBACK])('says so when no worker can be loaded (%j)', async (options) => {
    const tab = await openTab()
    const workerUrl = new URL('/no-such-worker.js', location.href)
    await expect(tab.connect({ workerUrl, ...options })).rejects.toMatchObject({ code: 'ERR_NO_HOST' })
    await gone()
  })

  it('lets a page without SharedWorker join the node of a SharedWorker', async () => {
    const first = await (await openTab()).connect()
    const second = await (await openTab()).connect(FALLBACK)
    expect(await second.id()).toEqual(await first.id())
    expect((await second.status()).host).toBe('shared-worker')
  })

  it('lets a page with SharedWorker join the node of a leading page', async () => {
    const first = await (await openTab()).connect(FALLBACK)
    const second = await (await openTab()).connect()
    expect(await second.id()).toEqual(await first.id())
    expect((await second.status()).host).toBe('dedicated-worker')
  })

  it('starts one node for two who connect at once, in one page and in two', async () => {
    const tabs = [await openTab(), await openTab()]
    const nodes = await Promise.all(tabs.flatMap((tab) => [tab.connect(), tab.connect(), tab.connect(FALLBACK)]))
    const ids = await Promise.all(nodes.map((node) => node.id()))
    expect(new Set(ids.map(({ peerId }) => peerId)).size).toBe(1)
  })

  it('hands over when the leading page goes', async () => {
    const [leader, ...others] = [await openTab(), await openTab(), await openTab()] as [Tab, ...Tab[]]
    const first = await leader.connect(FALLBACK)
    const nodes = await Promise.all(others.map((tab) => tab.connect(FALLBACK)))
    const { peerId } = await first.id()
    const left = performance.now()
    leader.close()
    const ids = await Promise.all(nodes.map((node) => node.id()))
    expect(performance.now() - left).toBeLessThan(1_500)
    expect(ids[0]).toEqual(ids[1])
    expect(ids[0]?.peerId).not.toBe(peerId)
  })

  it('hands over when the leading client is closed', async () => {
    const first = await (await openTab()).connect(FALLBACK)
    const second = await (await openTab()).connect(FALLBACK)
    await first.close()
    await expect(first.id()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    expect((await second.status()).host).toBe('dedicated-worker')
  })
})

describe.each([{}, FALLBACK])('a client (%j)', (options) => {
  it('gives up joining when its signal fires, and leaves nothing behind', async () => {
    const tab = await openTab()
    await expect(tab.connect({ ...options, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    })
    const controller = new AbortController()
    const joining = tab.connect({ ...options, signal: controller.signal })
    controller.abort()
    await expect(joining).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    await gone()
  })

  it('leaves nothing behind when it is closed, and fails what it has under way', async () => {
    const tab = await openTab()
    const node = await tab.connect(options)
    const pending = node.stat('!wait')
    const reader = node.cat('!endless').getReader()
    await reader.read()
    await node.close()
    await expect(pending).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await expect(drain(reader)).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await expect(node.status()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await gone()
  })

  it('is told why the node did not start, as all others are; the next one tries again', async () => {
    const workerUrl = fixture('failing-worker')
    const tab = await openTab()
    const failed = await Promise.allSettled([1, 2].map(() => tab.connect({ workerUrl, ...options })))
    const codes = failed.map((result) =>
      result.status === 'rejected' ? (result.reason as { code: string }).code : 'ok',
    )
    // In a dedicated worker the second may come when the first has taken the worker with it.
    expect(codes[0]).toBe('ERR_STORAGE_VERSION')
    if (options === FALLBACK) return
    expect(codes[1]).toBe('ERR_STORAGE_VERSION')
    await expect(tab.connect({ workerUrl, ...options })).resolves.toMatchObject({})
  })

  it('replaces a host of an older version of the app', async () => {
    const tab = await openTab()
    const name = workerName(Number(localStorage.getItem('pocket-ipfs:generation') ?? 0))
    const workerUrl = new URL(`?older=${name}`, fixture('older-worker'))
    new tab.window.SharedWorker(workerUrl, { type: 'module', name })
    await until(async () => (await locks()).includes(HOST_LOCK))
    const node = await tab.connect({ workerUrl, ...options })
    expect((await node.status()).state).toBe('running')
    const { held = [] } = await navigator.locks.query()
    expect(held.map((lock) => lock.name)).not.toContain('pocket-ipfs:host:older-host')
  })

  it('is told when a newer version of the app runs the node', async () => {
    const tab = await openTab()
    await expect(tab.connect({ workerUrl: fixture('foreign-worker'), ...options })).rejects.toMatchObject({
      code: 'ERR_HOST_VERSION',
      detail: { page: HOST_PROTOCOL, host: 99 },
    })
  })

  it('lets go of everything while its page is put away, and comes back', async () => {
    const tab = await openTab()
    const node = await tab.connect(options)
    const events: string[] = []
    node.watch((event) => events.push(event.type === 'host' ? event.host : event.type))
    const { peerId } = await node.id()
    tab.window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
    await gone()
    const asked = node.id()
    tab.window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
    if (options === FALLBACK) expect((await asked).peerId).not.toBe(peerId)
    else await asked
    expect(events.filter((event) => event === 'lost' || event === 'ready')).toEqual(['lost', 'ready'])
  })

  it('does not take a host for dead because its own page was asleep', async () => {
    const tab = await openTab()
    const node = await tab.connect(options)
    const events: string[] = []
    node.watch((event) => events.push(event.type))
    const { peerId } = await node.id()
    for (let i = 0; i < 3; i++) {
      const until = performance.now() + 1_500
      while (performance.now() < until);
      await node.status()
    }
    await new Promise((resolve) => setTimeout(resolve, 1_300))
    expect(events).not.toContain('host')
    expect((await node.id()).peerId).toBe(peerId)
  })

  it('passes relays and the network on to the node', async () => {
    const tab = await openTab()
    const relay = '/dns4/relay.example/tcp/443/tls/ws/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
    const node = await tab.connect({ ...options, relays: [relay] })
    expect((await node.status()).relays.map(({ addr }) => addr)).toContain(relay)
  })

  it('learns relays from the companion of its origin, at the latest when there is a network', async () => {
    const tab = await openTab()
    const answers = [new Response('<!doctype html>'), Response.json(COMPANION), Response.error()]
    const asked: string[] = []
    tab.window.fetch = async (url) => {
      asked.push((url as URL).href)
      return answers.shift() ?? Response.error()
    }
    const node = await tab.connect(options)
    const relays = async (): Promise<string[]> => (await node.status()).relays.map(({ addr }) => addr)
    expect(await relays()).toEqual([])
    tab.window.dispatchEvent(new Event('online'))
    await expect.poll(relays).toEqual(COMPANION.multiaddrs)
    tab.window.dispatchEvent(new Event('online'))
    await expect.poll(() => asked.length).toBe(3)
    expect(await relays()).toEqual(COMPANION.multiaddrs)
    expect(new Set(asked)).toEqual(new Set([`${location.origin}/.well-known/pocket-companion`]))
  })
})

describe('a host', () => {
  it('refuses pages of another version and goes on', async () => {
    const tab = await openTab()
    const node = await tab.connect()
    const worker = new tab.window.SharedWorker(ECHO_WORKER, { type: 'module', name: 'pocket-ipfs:0' })
    const reply = new Promise((resolve) => (worker.port.onmessage = ({ data }) => resolve(data)))
    const hello = { type: 'hello', clientId: 'x', page: { webrtc: false }, relays: [] }
    worker.port.postMessage({ ...hello, version: HOST_PROTOCOL + 1 })
    expect(await reply).toMatchObject({ type: 'refused', version: HOST_PROTOCOL })
    expect(await node.status()).toMatchObject({ state: 'running' })
  })

  it('ends the calls of a page that goes without a word', async () => {
    const stays = await (await openTab()).connect()
    const goes = await openTab()
    // As a crash: the client hears nothing of it.
    goes.window.addEventListener('pagehide', (event) => event.stopImmediatePropagation(), { capture: true })
    const node = await goes.connect()
    node.watch(() => undefined)
    // The echo node counts its watchers as peers.
    await until(async () => (await stays.status()).peers === 1)
    goes.close()
    await until(async () => (await stays.status()).peers === 0)
  })
})

/** Resolves when no lock of a client or a host is left: a SharedWorker alone may live on with its page. */
async function gone(): Promise<void> {
  await until(async () => (await locks()).every((name) => /^pocket-ipfs:host/.test(name)))
}

async function until(met: () => Promise<boolean>): Promise<void> {
  while (!(await met())) await new Promise((resolve) => setTimeout(resolve, 10))
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}
