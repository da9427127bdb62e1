import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createDeliveries } from '../../../src/companion/push/deliveries.ts'
import { parseRetryAfter } from '../../../src/companion/push/send.ts'
import { createSubscriptions } from '../../../src/companion/push/subscriptions.ts'
import { loadVapid } from '../../../src/companion/push/vapid.ts'
import { createPeers } from '../../../src/companion/store/peers.ts'
import { openStore } from '../../../src/companion/store/store.ts'
import { browser, peer, pushService, wake } from './push-support.ts'
import { companion, temporaryFolder, testConfig, until } from './support.ts'
import type { CompanionConfig } from '../../../src/companion/config.ts'
import type { PushAnswer, PushSender } from '../../../src/companion/push/send.ts'

async function woken(overrides: Partial<CompanionConfig> = {}) {
  const running = await companion({
    pushPrivateEndpoints: true,
    pushRetryMs: 20,
    wakeBurstPerCapability: 100,
    ...overrides,
  })
  const service = await pushService()
  const receiver = await peer(running.port)
  const phone = await receiver.subscribe(`${service.origin}/p`)
  const token = await receiver.allow()
  const subscriptions = async () =>
    ((await receiver.json('GET', '/push/subscriptions')).body as { subscriptions: unknown[] }).subscriptions
  return {
    running,
    service,
    receiver,
    phone,
    subscriptions,
    send: (ttl?: number) => wake(running.port, token, ttl === undefined ? {} : { ttl }),
  }
}

describe('a push service', () => {
  it.each([404, 410])('that says %i has no such subscription any more', async (status) => {
    const { service, subscriptions, send } = await woken()
    service.answers((response) => response.writeHead(status).end())
    await send()
    await until(async () => (await subscriptions()).length === 0)
    expect((await send()).body).toEqual({ queued: 0 })
    expect(service.pushed).toHaveLength(1)
  })

  it.each([429, 500, 503])('that says %i is asked again until it takes the push', async (status) => {
    const { service, phone, send } = await woken()
    service.answers((response) => response.writeHead(service.pushed.length < 3 ? status : 201).end())
    await send()
    expect(phone.payload(await service.arrived(3))).toBe('sealed')
    const bodies = new Set(service.pushed.map(({ body }) => body.subarray(0, 16).toString('hex')))
    expect(bodies.size).toBe(3)
  })

  it('is asked no sooner than it says, for this and for later wakes', async () => {
    const { service, send, subscriptions } = await woken()
    const times: number[] = []
    service.answers((response) => {
      times.push(performance.now())
      if (times.length === 1) response.writeHead(429, { 'retry-after': '1' }).end()
      else response.writeHead(201).end()
    })
    await send()
    await service.arrived(1)
    // The answer is on its way to the companion before this request is.
    await subscriptions()
    await send(0)
    await service.arrived(3)
    const [first = 0, ...others] = times
    for (const time of others) expect(time - first).toBeGreaterThan(990)
  })

  it('that breaks off or is not there is asked again', async () => {
    const { service, send } = await woken()
    service.answers((response) => {
      if (service.pushed.length < 3) response.destroy()
      else response.writeHead(201).end()
    })
    await send()
    await service.arrived(3)
  })

  it('that is silent holds nothing up', async () => {
    const { service, send } = await woken({ pushTimeoutMs: 100, maxParallelPushes: 1 })
    service.answers((response) => {
      if (service.pushed.length > 1) response.writeHead(201).end()
    })
    await send()
    await service.arrived(2)
  })

  it('that talks without end holds nothing up', async () => {
    const { service, send } = await woken({ pushTimeoutMs: 60_000, maxParallelPushes: 1 })
    service.answers((response) => {
      response.writeHead(201)
      const talk = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(65_536), () => setImmediate(talk))
      }
      talk()
    })
    await send()
    await service.arrived(1)
    await send()
    await service.arrived(2)
  })

  it('that sends it elsewhere is not followed', async () => {
    const { service, subscriptions, send } = await woken({ maxPushRefusals: 2 })
    service.answers((response) => response.writeHead(307, { location: `${service.origin}/elsewhere` }).end())
    await send()
    await service.arrived(1)
    expect(await subscriptions()).toHaveLength(1)
    await send()
    await until(async () => (await subscriptions()).length === 0)
    expect(service.pushed.map(({ path }) => path)).toEqual(['/p', '/p'])
  })

  it('that is down is asked a number of times, or until the wake is over', async () => {
    const { service, send, running } = await woken({ maxPushTries: 3, maxPendingWakesPerPeer: 1, pushRetryMs: 5 })
    service.answers((response) => response.writeHead(503).end())
    await send()
    await service.arrived(3)
    // There is room again, so the first is given up.
    await until(async () => (await send(0)).status === 202)
    await service.arrived(4)
    await until(async () => (await send(0)).status === 202)
    await service.arrived(5)
    expect(service.pushed[3]?.headers.ttl).toBe('0')
    await running.stop()
    expect(service.pushed).toHaveLength(5)
  })

  it('has so many wakes waiting for it, and the sender is told', async () => {
    const { service, send } = await woken({ maxPendingWakesPerPeer: 2, pushRetryMs: 60_000 })
    service.answers((response) => response.writeHead(503).end())
    expect([(await send()).status, (await send()).status]).toEqual([202, 202])
    const third = await send()
    expect([third.status, third.headers.get('retry-after')]).toEqual([429, '60'])
  })

  it('that is being talked to does not keep the companion from stopping', async () => {
    const { service, send, running } = await woken()
    service.answers(() => undefined)
    await send()
    await service.arrived(1)
    const begun = performance.now()
    await running.stop()
    expect(performance.now() - begun).toBeLessThan(2000)
  })

  it.each([
    ['120', 120_000],
    ['Sat, 21 Nov 2026 12:00:30 GMT', 30_000],
    ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
    ['soon', undefined],
    [undefined, undefined],
  ])('says when with Retry-After: %s', (header, wait) => {
    expect(parseRetryAfter(header, Date.parse('2026-11-21T12:00:00Z'))).toBe(wait)
  })
})

/** Deliveries alone on a store with one subscription, with a clock of the test's. */
async function bare(answer: PushAnswer, endpoint = 'https://push.example/p') {
  const dataDir = await temporaryFolder()
  const store = openStore(dataDir)
  const config = testConfig()
  const time = { now: Date.now() }
  const clock = () => time.now
  createPeers(store, config, clock).know('peer', '::1')
  const subscriptions = createSubscriptions(store, { ...config, pushPrivateEndpoints: true }, clock)
  subscriptions.put('peer', browser(endpoint).subscription)
  const vapid = await loadVapid(await temporaryFolder(), 'mailto:a@b.c')
  const sent: string[] = []
  const lines: string[] = []
  const sender: PushSender = {
    send(url) {
      sent.push(url.href)
      return Promise.resolve(answer)
    },
    close: () => undefined,
  }
  const deliveries = createDeliveries({ store, config, vapid, sender, log: (line) => lines.push(line), now: clock })
  onTestFinished(async () => {
    await deliveries.stop()
    store.close()
  })
  const add = () => deliveries.add('peer', { payload: '', ttl: 86_400, urgency: 'normal' })
  return { dataDir, store, config, time, subscriptions, sent, lines, add }
}

it('a wake that waits is not forgotten when the clock is set back', async () => {
  const { store, time, add } = await bare({ status: 429, retryAfterMs: 1e9 })
  const due = () => Number(store.db.prepare('SELECT max(due) AS due FROM deliveries').get()?.due)
  add()
  await until(() => due() === time.now + 3_600_000)
  time.now -= 86_400_000
  add()
  expect(due()).toBe(time.now + 3_600_000)
})

it('a store that somebody else holds delays a push, and ends nothing', async () => {
  const { dataDir, config, time, sent, lines, add } = await bare({ status: 503 })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const pass = (ms: number) => {
    time.now += ms
    return vi.advanceTimersByTimeAsync(ms)
  }
  add()
  await pass(0)
  expect(sent).toHaveLength(1)
  const other = new DatabaseSync(join(dataDir, 'companion.sqlite'))
  onTestFinished(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  await pass(config.pushRetryMs)
  await pass(10_000)
  expect(sent).toHaveLength(1)
  expect(lines).toEqual([expect.stringMatching(/^pushes wait, since the store failed: .*locked/)])
  other.exec('ROLLBACK')
  await pass(10_000)
  expect(sent).toHaveLength(2)
  expect(lines).toHaveLength(1)
})

it('an endpoint that is not allowed any more gets nothing, and goes', async () => {
  const { subscriptions, sent, lines, add } = await bare({ status: 201 }, 'http://127.0.0.1:9/p')
  add()
  await until(() => subscriptions.list('peer').length === 0)
  expect(sent).toEqual([])
  expect(lines).toEqual(['a subscription was dropped: its endpoint is not on the public internet'])
})
