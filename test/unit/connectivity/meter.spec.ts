import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { NetworkKind } from '../../../src/contract/node-api.ts'
import { dayOf, openMeter } from '../../../src/core/connectivity/meter.ts'
import { createMemoryStateTable } from '../../../src/core/storage/index.ts'
import { LIMITS } from '../../../src/shared/limits.ts'

const DAY = 86_400_000

describe('the data meter', () => {
  let kind: NetworkKind = 'cellular'
  const open = (state = createMemoryStateTable(), onCount = (): void => undefined) =>
    openMeter({ state, kind: () => kind, onCount })

  beforeEach(() => {
    kind = 'cellular'
    vi.useFakeTimers({ now: new Date(2026, 10, 30, 23, 0) })
  })
  afterEach(() => void vi.useRealTimers())
  const later = (ms: number): unknown => vi.setSystemTime(Date.now() + ms)

  it('counts by direction and kind of network; Wi-Fi and cable cost nothing', async () => {
    const meter = await open()
    meter.count('in', 100)
    for (const next of ['wifi', 'ethernet', 'unknown'] as const) {
      kind = next
      later(1_000)
      meter.count('in', 10)
      meter.count('out', 1)
    }
    const { day, month } = meter.usage()
    expect(day).toEqual({
      cellular: { in: 100, out: 0 },
      wifi: { in: 10, out: 1 },
      ethernet: { in: 10, out: 1 },
      unknown: { in: 10, out: 1 },
      counted: 111,
    })
    expect(month).toEqual(day)
  })

  it('begins anew with the day and with the month, and knows an earlier day again when the clock is set back', async () => {
    const meter = await open()
    meter.count('in', 5)
    later(2 * 3_600_000)
    meter.count('in', 7)
    expect(dayOf(Date.now())).toBe('2026-12-01')
    expect([meter.usage().day.counted, meter.usage().month.counted]).toEqual([7, 7])
    later(-DAY)
    meter.count('in', 1)
    expect([meter.usage().day.counted, meter.usage().month.counted]).toEqual([6, 6])
    later(2 * DAY)
    meter.count('in', 1)
    expect([meter.usage().day.counted, meter.usage().month.counted]).toEqual([1, 8])
  })

  it('goes on where the last node saved, and writes only what is new', async () => {
    const state = createMemoryStateTable()
    const first = await open(state)
    first.count('out', 9)
    await first.save()
    const wrote = vi.spyOn(state, 'batch')
    await first.save()
    expect(wrote).not.toHaveBeenCalled()
    const second = await open(state)
    second.count('in', 1)
    expect(second.usage().day.cellular).toEqual({ in: 1, out: 9 })
  })

  it('tries again to save what was not taken', async () => {
    const state = createMemoryStateTable()
    const meter = await open(state)
    meter.count('in', 3)
    vi.spyOn(state, 'batch').mockRejectedValueOnce(new Error('full'))
    await expect(meter.save()).rejects.toThrow('full')
    await meter.save()
    expect((await open(state)).usage().day.counted).toBe(3)
  })

  it.each([[7], ['x'], [[[1, 2]]], [[['2026-11-30', null]]], [[['2026-11-30', { cellular: { in: 'x', out: 1 } }]]]])(
    'takes %j on the disk for nothing',
    async (saved) => {
      const state = createMemoryStateTable()
      await state.set('data:days', saved)
      const meter = await open(state)
      expect(meter.usage().month.counted).toBe(0)
    },
  )

  it('tells once a second that something was counted', async () => {
    let told = 0
    const meter = await open(createMemoryStateTable(), () => void told++)
    for (let i = 0; i < 100; i++) meter.count('in', 1)
    expect(told).toBe(1)
    later(1_000)
    meter.count('in', 1)
    expect(told).toBe(2)
  })

  it('forgets the peer whose bytes are the longest ago, not the one that has just come', async () => {
    const meter = await open()
    const held = meter.peer('held since the start')
    held.in = 1
    meter.peer('large and gone').in = 1_000_000
    meter.count('in', 1)
    for (let i = 2; i < LIMITS.maxMeteredPeers; i++) {
      later(1_000)
      meter.peer(`peer ${i}`).in = 1_000
      meter.count('in', 1)
    }
    held.in += 1
    const known = (): string[] => meter.usage().peers.map(({ peer }) => peer)
    meter.peer('new').in = 1
    expect(known()).not.toContain('large and gone')
    meter.peer('newer').in = 1
    expect(known()).toEqual(expect.arrayContaining(['new', 'newer', 'held since the start']))
    expect(known()).toHaveLength(LIMITS.maxMeteredPeers)
  })

  it('keeps so many days and peers', async () => {
    const meter = await open()
    for (let i = 0; i < LIMITS.meteredDays + 10; i++) {
      meter.count('in', 1)
      later(DAY)
    }
    for (let i = 0; i < LIMITS.maxMeteredPeers + 10; i++) meter.peer(`peer ${i}`).in += 1 + i
    const { peers } = meter.usage()
    expect(peers).toHaveLength(LIMITS.maxMeteredPeers)
    expect(peers[0]).toEqual({ peer: `peer ${LIMITS.maxMeteredPeers + 9}`, in: LIMITS.maxMeteredPeers + 10, out: 0 })
  })
})
