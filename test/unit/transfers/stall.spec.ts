import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { stallWatch } from '../../../src/core/transfers/sources/stall.ts'
import { LIMITS } from '../../../src/shared/limits.ts'

const PATIENCE_MS = 1000

/** Yields a chunk of `size` bytes every `every` ms, `count` times. */
async function* trickle(size: number, every: number, count: number): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < count; sent++) {
    await new Promise((resolve) => setTimeout(resolve, every))
    yield new Uint8Array(size)
  }
}

/** Reads all of it, each chunk taking `storing` ms, and resolves with when it was said to stall, in ms, or undefined. */
async function stalledAt(chunks: AsyncIterable<Uint8Array>, storing = 0): Promise<number | undefined> {
  const start = Date.now()
  let stalled: number | undefined
  const watch = stallWatch(() => (stalled ??= Date.now() - start), PATIENCE_MS)
  const read = async (): Promise<void> => {
    for await (const _chunk of watch.over(chunks, () => undefined)) {
      if (storing > 0) await new Promise((resolve) => setTimeout(resolve, storing))
    }
    watch.stop()
  }
  const reading = read()
  await vi.runAllTimersAsync()
  await reading
  return stalled
}

describe('an answer', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('that is silent stalls when patience ends', async () => {
    expect(await stalledAt(trickle(LIMITS.stallBytes, PATIENCE_MS + 500, 1))).toBe(PATIENCE_MS)
  })

  it('that trickles stalls as one that is silent does', async () => {
    expect(await stalledAt(trickle(1, 100, 50))).toBe(PATIENCE_MS)
  })

  it('that is slow but brings its share does not', async () => {
    expect(await stalledAt(trickle(LIMITS.stallBytes, PATIENCE_MS - 100, 20))).toBeUndefined()
  })

  it('whose bytes take long to store does not', async () => {
    expect(await stalledAt(trickle(1, 10, 20), 5 * PATIENCE_MS)).toBeUndefined()
  })
})
