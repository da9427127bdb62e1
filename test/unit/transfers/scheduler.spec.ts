import { setImmediate } from 'node:timers/promises'
import { afterEach, expect, it, vi } from 'vitest'
import { blocksFor } from '../../../src/core/gateway/blocks-for.ts'
import type { Part } from '../../../src/core/transfers/sources/part.ts'
import { createScheduler, type Scheduler } from '../../../src/core/transfers/sources/scheduler.ts'
import type { Source } from '../../../src/core/transfers/sources/source.ts'
import { PocketError } from '../../../src/shared/errors.ts'
import { createStore, type Store } from '../../support/node/fetching.ts'
import { randomBytes } from '../../support/node/node.ts'

const MiB = 1024 * 1024
afterEach(() => void vi.useRealTimers())

function sourceOf(bring: Source['bring']): Source {
  return { kind: 'gateway', id: 'one', lanes: 1, shared: false, lastResort: () => false, bring }
}

function schedule(to: Store, source: Source, init: { store?: Store['source']; signal?: AbortSignal } = {}): Scheduler {
  const quiet = { onStored: () => undefined, onHeld: () => undefined, onDropped: () => undefined }
  const signal = new AbortController().signal
  return createScheduler({ store: to.source, blocks: to.blocks, sources: () => [source], signal, ...quiet, ...init })
}

it('is cancelled quietly while it cannot read the root that came', async () => {
  const from = await createStore()
  const root = await from.add(randomBytes(2 * MiB))
  const to = await createStore()
  const abort = new AbortController()
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', note)
  const closed = { ...to.source, getLocal: () => Promise.reject(new PocketError('ERR_CLOSED')) }
  const source = sourceOf(async (_part, { signal, sink }) => {
    await sink.take(root, await from.source.getLocal(root))
    await sink.end()
    // As long as an unhandled rejection needs to be told of.
    await setImmediate()
    await setImmediate()
    abort.abort()
    signal.throwIfAborted()
  })
  await expect(schedule(to, source, { store: closed, signal: abort.signal }).run(root)).rejects.toMatchObject({
    code: 'ERR_ABORTED',
  })
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

it('takes no stall of the worker for speed', async () => {
  const from = await createStore()
  const root = await from.add(randomBytes(14 * MiB))
  const to = await createStore()
  const asked: Part[] = []
  const local = { get: from.source.getLocal.bind(from.source) }
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] })
  const source = sourceOf(async (part, { alive, sink }) => {
    asked.push(part)
    if (part.kind !== 'range') throw new PocketError('ERR_INVALID_ARGUMENT')
    const { root: cid, from: first, to: last } = part
    const request = { kind: 'car', cid, scope: 'entity', range: { from: first, to: last } } as const
    for await (const block of blocksFor(request, local, {})) await sink.take(block.cid, block.bytes)
    await sink.end()
    if (asked.length > 1) return
    // 4 MiB in 2 s, at the end of which the only tick comes.
    alive(4 * MiB)
    vi.setSystemTime(Date.now() + 1800)
    vi.advanceTimersByTime(200)
  })
  await schedule(to, source).run(root)
  // Of 2 MiB/s, and not of 20.
  expect(asked[1]).toMatchObject({ from: 4 * MiB, to: 8 * MiB - 1 })
  expect(to.blocks.stat().blocks).toBe(15)
})
