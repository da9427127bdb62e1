import { describe, expect, it } from 'vitest'
import { createRateMeter } from '../../../src/core/transfers/rate.ts'

describe('the rate', () => {
  it('is the mean of the last seconds, however many samples there are', () => {
    const meter = createRateMeter()
    for (let ms = 0; ms <= 10_000; ms += 10) meter.sample(ms < 5_000 ? ms : 5_000 + (ms - 5_000) * 3, ms)
    expect(meter.rate(10_000)).toBeCloseTo(3_000, -2)
  })

  it('sinks while nothing comes, and is nothing in the end', () => {
    const meter = createRateMeter()
    meter.sample(0, 0)
    meter.sample(1_000_000, 1_000)
    expect(meter.rate(1_000)).toBe(1_000_000)
    expect(meter.rate(2_000)).toBe(500_000)
    expect(meter.rate(5_000)).toBe(0)
  })

  it('is nothing before there is anything to measure', () => {
    const meter = createRateMeter()
    expect(meter.rate(0)).toBe(0)
    meter.sample(5, 0)
    expect(meter.rate(0)).toBe(0)
  })
})
