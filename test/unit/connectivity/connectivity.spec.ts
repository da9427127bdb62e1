import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createConnectivity } from '../../../src/core/connectivity/connectivity.ts'
import { meteredFetch } from '../../../src/core/connectivity/metered-fetch.ts'
import type { PhoneState } from '../../../src/core/ports.ts'
import { createMemoryStateTable } from '../../../src/core/storage/index.ts'
import { createMovedPhone } from '../../support/node/moved-phone.ts'

const MB = 1_000_000

async function open(state = createMemoryStateTable()) {
  const told: string[] = []
  const { phone, network, move, net } = createMovedPhone()
  const connectivity = await createConnectivity({ state, phone, network })
  connectivity.watch(() => {
    const { profile, reason, quiet } = connectivity.state()
    told.push(`${profile} ${reason}${quiet === undefined ? '' : ` quiet: ${quiet}`}`)
  })
  connectivity.network.watch((value) => told.push(value ? 'network' : 'no network'))
  return { connectivity, told, state, phone: move, net }
}

describe('the connectivity driver', () => {
  beforeEach(() => void vi.useFakeTimers({ now: new Date(2026, 10, 30, 23, 0) }))
  afterEach(() => void vi.useRealTimers())
  const later = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

  it('follows the network and the battery, and tells changes only', async () => {
    const { connectivity, phone, told } = await open()
    expect(connectivity.state()).toEqual({ choice: 'auto', profile: 'full', reason: 'default', network: 'unknown' })
    phone({ connection: { type: 'cellular' } })
    phone({ connection: { type: 'cellular', rtt: 100 } })
    phone({ connection: { type: 'wifi' }, battery: { level: 0.1, charging: false } })
    phone({ battery: { level: 0.1, charging: true } })
    expect(told).toEqual(['saver metered', 'saver battery', 'full default'])
    expect(connectivity.allows().relays).toBe(3)
  })

  it('keeps the person’s choice, for the next node too', async () => {
    const { connectivity, state, phone } = await open()
    expect(await connectivity.profile.set('full')).toMatchObject({ choice: 'full', profile: 'full', reason: 'chosen' })
    phone({ connection: { type: 'cellular' } })
    expect((await connectivity.profile.get()).profile).toBe('full')
    const next = await open(state)
    expect(next.connectivity.state()).toMatchObject({ choice: 'full', reason: 'chosen' })
    await expect(connectivity.profile.set('wake' as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  it('has no network for anybody while the person wants none', async () => {
    const { connectivity, told } = await open()
    await connectivity.profile.set('offline')
    expect(connectivity.network.online()).toBe(false)
    expect(connectivity.blocked()).toMatchObject({ code: 'ERR_OFFLINE', detail: { chosen: true } })
    await connectivity.profile.set('auto')
    expect(connectivity.blocked()).toBeUndefined()
    expect(told).toEqual(['offline chosen quiet: chosen', 'no network', 'full default', 'network'])
  })

  it('says that there is no network, and lets go of nothing', async () => {
    const { connectivity, net } = await open()
    net(false)
    expect(connectivity.state()).toMatchObject({ profile: 'offline', reason: 'no-network' })
    expect(connectivity.state().quiet).toBeUndefined()
    expect(connectivity.allows().relays).toBe(3)
    expect(connectivity.blocked()).toMatchObject({ code: 'ERR_OFFLINE' })
  })

  it('is quiet out of sight where it saves, and not where everything is on', async () => {
    const { connectivity, phone } = await open()
    connectivity.away(true)
    expect(connectivity.state().quiet).toBeUndefined()
    phone({ connection: { type: 'cellular' } })
    expect(connectivity.state().quiet).toBe('hidden')
    expect(connectivity.blocked()).toMatchObject({ code: 'ERR_SAVING_DATA' })
    connectivity.away(false)
    expect(connectivity.state().quiet).toBeUndefined()
  })

  it('stops at the cap of a day, and goes on with the next day, a higher cap, or on Wi-Fi', async () => {
    const { connectivity, phone, told } = await open()
    await connectivity.data.setCaps({ day: 10 * MB })
    connectivity.meter.count('in', 6 * MB)
    await later(1_000)
    connectivity.meter.count('out', 4 * MB)
    await later(1_000)
    connectivity.meter.count('out', 1)
    expect(connectivity.state()).toMatchObject({ quiet: 'data-cap', capped: 'day' })
    expect(connectivity.blocked()).toMatchObject({ code: 'ERR_DATA_CAP', detail: { period: 'day' } })
    phone({ connection: { type: 'wifi' } })
    expect(connectivity.blocked()).toBeUndefined()
    phone({ connection: { type: 'cellular' } })
    expect(connectivity.blocked()).toMatchObject({ code: 'ERR_DATA_CAP' })
    await connectivity.data.setCaps({ day: 20 * MB })
    expect(connectivity.blocked()).toBeUndefined()
    await connectivity.data.setCaps({ day: 1 })
    expect(connectivity.blocked()).toMatchObject({ code: 'ERR_DATA_CAP' })
    // Nothing is counted any more, and nobody asks: the day ends all the same.
    await later(3_600_000)
    expect(told.at(-1)).toBe('network')
    expect(connectivity.blocked()).toBeUndefined()
  })

  it('takes a moment without Wi-Fi for no change of network: a used-up cap lets go of nothing', async () => {
    const { connectivity, phone, net, told } = await open()
    phone({ connection: { type: 'cellular' } })
    await connectivity.data.setCaps({ day: 1 })
    connectivity.meter.count('in', 1)
    await later(1_000)
    phone({ connection: { type: 'wifi' } })
    expect(connectivity.blocked()).toBeUndefined()
    told.length = 0
    phone({ connection: { type: 'none' } })
    net(false)
    expect(connectivity.state()).toMatchObject({ network: 'wifi' })
    net(true)
    phone({ connection: { type: 'wifi' } })
    expect(told.filter((each) => each.includes('quiet'))).toEqual([])
    phone({ connection: { type: 'cellular' } })
    phone({ connection: { type: 'none' } })
    expect(connectivity.state()).toMatchObject({ profile: 'saver', network: 'cellular', quiet: 'data-cap' })
  })

  it('stops at the cap of a month, which tomorrow does not help', async () => {
    vi.setSystemTime(new Date(2026, 10, 29, 23, 0))
    const { connectivity, state } = await open()
    await connectivity.data.setCaps({ month: MB })
    connectivity.meter.count('in', MB)
    await connectivity.meter.save()
    await later(3_600_000)
    const next = await open(state)
    expect(next.connectivity.state().capped).toBe('month')
    expect(next.connectivity.blocked()).toMatchObject({ code: 'ERR_DATA_CAP', detail: { period: 'month' } })
    await later(25 * 3_600_000)
    expect(next.connectivity.blocked()).toBeUndefined()
    expect((await next.connectivity.data.usage()).caps).toEqual({ month: MB })
  })

  it.each([{ day: 0 }, { day: -1 }, { month: 1.5 }, { day: Number.NaN }, { month: '5' }])(
    'refuses %j as caps',
    async (caps) => {
      const { connectivity } = await open()
      await expect(connectivity.data.setCaps(caps as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    },
  )

  it('saves what it counted without being asked, once for many bytes', async () => {
    const state = createMemoryStateTable()
    const wrote = vi.spyOn(state, 'batch')
    const { connectivity } = await open(state)
    for (let i = 0; i < 10; i++) {
      connectivity.meter.count('in', 1)
      await later(1_000)
    }
    expect(wrote).not.toHaveBeenCalled()
    await later(10_000)
    expect(wrote).toHaveBeenCalledTimes(1)
    connectivity.stop()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('keeps to the profile it was woken with', async () => {
    const state = createMemoryStateTable()
    const quiet = { state: (): PhoneState => ({ visibility: 'hidden' }), watch: () => () => undefined }
    const network = { online: () => true, watch: () => () => undefined }
    const woken = await createConnectivity({ state, phone: quiet, network, fixed: 'wake' })
    woken.away(true)
    expect(woken.state()).toMatchObject({ profile: 'wake', reason: 'wake' })
    expect([woken.blocked(), woken.allows().serves]).toEqual([undefined, false])
  })

  it('asks no gateway while it is quiet, and counts what they send', async () => {
    const { connectivity } = await open()
    const asked: string[] = []
    const fetch = meteredFetch(async (url) => {
      asked.push(url)
      return new Response('12345')
    }, connectivity)
    const request = { headers: {}, signal: new AbortController().signal }
    const { body } = await fetch('https://gateway.example/ipfs/x', request)
    expect(await new Response(body as never).text()).toBe('12345')
    expect(connectivity.meter.usage()).toMatchObject({
      day: { counted: 5 },
      peers: [{ peer: 'https://gateway.example', in: 5, out: 0 }],
    })
    await connectivity.profile.set('offline')
    await expect(fetch('https://gateway.example/', request)).rejects.toMatchObject({ code: 'ERR_OFFLINE' })
    expect(asked).toHaveLength(1)
  })
})
