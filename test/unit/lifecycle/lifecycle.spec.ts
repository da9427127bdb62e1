import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLifecycle } from '../../../src/core/lifecycle/lifecycle.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { createMovedPhone } from '../../support/node/moved-phone.ts'

/** A phone that is moved by hand, its life, and what the node was told to do. */
function open() {
  const told: string[] = []
  const { phone, network, move, net, listeners } = createMovedPhone()
  const wakes: PromiseWithResolvers<void>[] = []
  const life = createLifecycle({
    phone,
    network,
    checkpoint: async () => void told.push('checkpoint'),
    wake: () => {
      told.push('wake')
      const wake = Promise.withResolvers<void>()
      wakes.push(wake)
      return wake.promise
    },
    onAway: (long) => void told.push(long ? 'away' : 'back'),
    onChange: () => undefined,
  })
  return { life, told, wakes, state: () => life.status().state, phone: move, net, listeners }
}

describe('the life of a node', () => {
  beforeEach(() => void vi.useFakeTimers({ now: new Date('2026-11-21T12:00:00Z') }))
  afterEach(() => void vi.useRealTimers())

  it('begins hidden where its page is, and offline where there is no network', () => {
    const hidden = open()
    hidden.phone({ visibility: 'hidden' })
    expect(hidden.state()).toBe('starting')
    hidden.life.started()
    expect(hidden.state()).toBe('hidden')
    const offline = open()
    offline.net(false)
    offline.life.started()
    expect(offline.state()).toBe('offline')
  })

  it('takes a quick flip for nothing: a checkpoint, and no connection is asked', async () => {
    const { life, phone, state, told } = open()
    life.started()
    phone({ visibility: 'hidden' })
    expect(state()).toBe('hidden')
    await vi.advanceTimersByTimeAsync(LIMITS.quickFlipMs - 1_000)
    phone({ visibility: 'visible' })
    expect(state()).toBe('active')
    await vi.advanceTimersByTimeAsync(LIMITS.quickFlipMs)
    expect(told).toEqual(['back', 'checkpoint', 'back'])
    expect(life.status().checkpointMs).toBeGreaterThanOrEqual(0)
  })

  it('wakes after a long time out of sight, frozen or not, however often it changed meanwhile', async () => {
    const { life, phone, state, told, wakes } = open()
    life.started()
    phone({ visibility: 'hidden' })
    await vi.advanceTimersByTimeAsync(15_000)
    phone({ visibility: 'frozen' })
    expect(state()).toBe('frozen')
    await vi.advanceTimersByTimeAsync(15_000)
    phone({ visibility: 'hidden' })
    phone({ visibility: 'visible' })
    expect(state()).toBe('waking')
    expect(told).toEqual(['back', 'checkpoint', 'away', 'back', 'wake'])
    await vi.advanceTimersByTimeAsync(300)
    wakes[0]?.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect(state()).toBe('active')
    expect(life.status().wakeMs).toBeGreaterThanOrEqual(300)
  })

  it('notices by the clock that it stood still', async () => {
    const { life, phone, state, told, wakes } = open()
    life.started()
    vi.setSystemTime(Date.now() + 60_000)
    await vi.advanceTimersByTimeAsync(LIMITS.lifeBeatMs)
    expect(state()).toBe('waking')
    wakes[0]?.resolve()
    await vi.advanceTimersByTimeAsync(0)
    phone({ visibility: 'hidden' })
    vi.setSystemTime(Date.now() + 60_000)
    await vi.advanceTimersByTimeAsync(LIMITS.lifeBeatMs)
    expect(state()).toBe('suspended')
    phone({ visibility: 'visible' })
    expect(state()).toBe('waking')
    expect(told.filter((each) => each === 'wake')).toHaveLength(2)
  })

  it('hears of its page before the clock beats, and wakes once', () => {
    const { life, phone, told } = open()
    life.started()
    phone({ visibility: 'hidden' })
    vi.setSystemTime(Date.now() + 60_000)
    phone({ visibility: 'visible' })
    expect(told.filter((each) => each === 'wake')).toHaveLength(1)
  })

  it('is not upset by a clock that is set back a day', async () => {
    const { life, phone, state, wakes } = open()
    life.started()
    vi.setSystemTime(Date.now() - 86_400_000)
    await vi.advanceTimersByTimeAsync(2 * LIMITS.lifeBeatMs)
    expect(state()).toBe('active')
    phone({ visibility: 'hidden' })
    vi.setSystemTime(Date.now() - 86_400_000)
    phone({ visibility: 'visible' })
    // Nobody knows how long it was: it may have been long.
    expect(state()).toBe('waking')
    wakes[0]?.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect(state()).toBe('active')
  })

  it('wakes when the network is back, and when it is another one', async () => {
    const { life, net, phone, state, wakes } = open()
    life.started()
    net(false)
    expect(state()).toBe('offline')
    net(true)
    expect(state()).toBe('waking')
    wakes[0]?.resolve()
    await vi.advanceTimersByTimeAsync(0)
    phone({ connection: { type: 'wifi' } })
    expect(state()).toBe('waking')
    wakes[1]?.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect(state()).toBe('active')
  })

  it.each(['hidden', 'frozen'] as const)('wakes after a quick flip too, when the network changed while %s', (away) => {
    const { life, phone, state, told } = open()
    phone({ connection: { type: 'wifi' } })
    life.started()
    phone({ visibility: away })
    phone({ connection: { type: 'cellular' } })
    expect(state()).toBe(away)
    vi.setSystemTime(Date.now() + 5_000)
    phone({ visibility: 'visible' })
    expect(state()).toBe('waking')
    phone({ visibility: 'hidden' })
    phone({ visibility: 'visible' })
    // That was then.
    expect(state()).toBe('active')
    expect(told.filter((each) => each === 'wake')).toHaveLength(1)
  })

  it('wakes after a quick flip too, when the network was gone meanwhile', () => {
    const { life, net, phone, state } = open()
    life.started()
    phone({ visibility: 'hidden' })
    net(false)
    net(true)
    expect(state()).toBe('hidden')
    phone({ visibility: 'visible' })
    expect(state()).toBe('waking')
  })

  it('lets a wake that was overtaken end nothing', async () => {
    const { life, net, state, wakes } = open()
    life.started()
    net(false)
    net(true)
    net(false)
    vi.setSystemTime(Date.now() + 10)
    net(true)
    wakes[0]?.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect(state()).toBe('waking')
    wakes[1]?.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect(state()).toBe('active')
  })

  it('survives a network that flaps for five minutes', async () => {
    const { life, net, state, wakes } = open()
    life.started()
    for (let at = 0; at < 300_000; at += 2_000) {
      net(at % 4_000 !== 0)
      await vi.advanceTimersByTimeAsync(2_000)
      wakes.at(-1)?.resolve()
    }
    net(true)
    wakes.at(-1)?.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect(state()).toBe('active')
    expect(vi.getTimerCount()).toBe(1)
  })

  it('leaves nothing behind', () => {
    const { life, phone, state, listeners } = open()
    life.started()
    phone({ visibility: 'hidden' })
    life.stop()
    expect(state()).toBe('stopped')
    expect([listeners(), vi.getTimerCount()]).toEqual([0, 0])
  })
})
