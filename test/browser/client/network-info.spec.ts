import { afterEach, describe, expect, it, vi } from 'vitest'
import { createNetworkInfo } from '../../../src/platform/worker/network-info.ts'

describe('network info', () => {
  afterEach(() => {
    vi.restoreAllMocks()
    vi.useRealTimers()
  })

  const watch = (info: ReturnType<typeof createNetworkInfo>) => {
    const seen: boolean[] = []
    return { seen, stop: info.watch((online) => seen.push(online)) }
  }

  it('believes at once what a page reports, and tells changes only', () => {
    const info = createNetworkInfo()
    const { seen, stop } = watch(info)
    expect(info.online()).toBe(true)
    for (const online of [true, false, false, true]) info.report(online)
    expect(seen).toEqual([false, true])
    stop()
    info.report(false)
    expect(seen).toEqual([false, true])
    expect(info.online()).toBe(false)
  })

  it('notices what no event tells, and lets a page know better until it changes again', () => {
    vi.useFakeTimers()
    const onLine = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(true)
    const info = createNetworkInfo()
    const { seen, stop } = watch(info)
    onLine.mockReturnValue(false)
    vi.advanceTimersByTime(2_000)
    expect(seen).toEqual([false])
    info.report(true)
    vi.advanceTimersByTime(10_000)
    expect(info.online()).toBe(true)
    onLine.mockReturnValue(true)
    vi.advanceTimersByTime(2_000)
    onLine.mockReturnValue(false)
    vi.advanceTimersByTime(2_000)
    expect(seen).toEqual([false, true, false])
    stop()
    expect(vi.getTimerCount()).toBe(0)
  })
})
