import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createPatience } from '../../../src/core/transfers/sources/patience.ts'
import { createStanding } from '../../../src/core/transfers/sources/standing.ts'
import { PocketError } from '../../../src/shared/errors.ts'

const MS = 30_000
beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }))
afterEach(() => void vi.useRealTimers())

/** Looks as often as a fetch does. */
function pass(patience: ReturnType<typeof createPatience>, ms: number, each = (): void => undefined): boolean {
  let lasts = true
  for (let at = 0; at < ms; at += 1_000) {
    vi.setSystemTime(Date.now() + 1_000)
    each()
    lasts = patience.lasts(MS)
  }
  return lasts
}

it('ends after a silence, later while bytes come, and begins anew with a block', () => {
  const patience = createPatience()
  expect(pass(patience, MS)).toBe(true)
  patience.arrived()
  expect(pass(patience, MS)).toBe(true)
  expect(pass(patience, 1_000)).toBe(false)
  patience.arrived()
  expect(pass(patience, 8 * MS, () => patience.heard())).toBe(true)
  expect(pass(patience, 1_000, () => patience.heard())).toBe(false)
})

it('does not count the time in which the worker stood still', () => {
  const patience = createPatience()
  pass(patience, 20_000)
  vi.setSystemTime(Date.now() + 3_600_000)
  expect(patience.lasts(MS)).toBe(true)
  expect(pass(patience, MS)).toBe(true)
  expect(pass(patience, 1_000)).toBe(false)
})

it('a source whose connection was lost is asked again as soon as it is back, however many requests were cut', () => {
  let gone = true
  const source = { kind: 'peer', id: 'p', lanes: 3, shared: false, lastResort: () => false, gone: () => gone } as const
  const standing = createStanding({ ...source, bring: async () => undefined })
  const now = Date.now()
  for (let lane = 0; lane < 3; lane++) standing.failed(new PocketError('ERR_ABORTED'), now)
  expect([standing.ready(now), standing.ready(now + 100)]).toEqual([false, true])
  gone = false
  standing.failed(new PocketError('ERR_TIMEOUT'), now)
  expect(standing.ready(now + 100)).toBe(false)
})
