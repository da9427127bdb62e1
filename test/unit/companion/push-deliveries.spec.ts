import { describe, expect, it, onTestFinished } from 'vitest'
import { createDeliveries } from '../../../src/companion/push/deliveries.ts'
import { parseRetryAfter } from '../../../src/companion/push/send.ts'
import { createSubscriptions } from '../../../src/companion/push/subscriptions.ts'
import { loadVapid } from '../../../src/companion/push/vapid.ts'
import { createPeers } from '../../../src/companion/store/peers.ts'
import { openStore } from '../../../src/companion/store/store.ts'
import { browser, peer, pushService, wake } from './push-support.ts'
import { companion, temporaryFolder, testConfig, until } from './support.ts'
import type { CompanionConfig } from '../../../src/companion/config.ts'

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

it('a wake that waits is not forgotten when the clock is set back', async () => {
  const store = openStore(await temporaryFolder())
  const config = testConfig()
  let now = Date.now()
  const clock = () => now
  createPeers(store, config, clock).know('peer', '::1')
  createSubscriptions(store, config, clock).put('peer', browser('https://push.example/p').subscription)
  const vapid = await loadVapid(await temporaryFolder(), 'mailto:a@b.c')
  const sender = { send: () => Promise.resolve({ status: 429, retryAfterMs: 1e9 }), close: () => undefined }
  const deliveries = createDeliveries({ store, config, vapid, sender, log: () => undefined, now: clock })
  onTestFinished(async () => {
    await deliveries.stop()
    store.close()
  })
  const due = () => Number(store.db.prepare('SELECT max(due) AS due FROM deliveries').get()?.due)
  const wake = { payload: '', ttl: 86_400, urgency: 'normal' } as const
  deliveries.add('peer', wake)
  await until(() => due() === now + 3_600_000)
  now -= 86_400_000
  deliveries.add('peer', wake)
  expect(due()).toBe(now + 3_600_000)
})
