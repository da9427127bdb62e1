import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Source } from '../../../src/core/transfers/sources/source.ts'
import { createStanding, type Standing } from '../../../src/core/transfers/sources/standing.ts'
import {
  came,
  createAttempt,
  createTask,
  helpFor,
  owedBy,
  type Attempt,
  type Task,
} from '../../../src/core/transfers/sources/tasks.ts'

const MiB = 1024 * 1024
const root = CID.createV1(0x55, identity.digest(new Uint8Array()))

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000, toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

function standing(id: string): Standing {
  const source: Source = {
    kind: 'gateway',
    id,
    lanes: 1,
    shared: false,
    lastResort: () => false,
    bring: async () => {},
  }
  return createStanding(source)
}

function start(task: Task, by: Standing): Attempt {
  const attempt = createAttempt(task, by)
  task.attempts.add(attempt)
  by.running++
  return attempt
}

/** Bytes come in steps, as from a line. */
function bring(task: Task, attempt: Attempt, bytes: number): void {
  for (let at = 0; at < bytes; at += MiB / 16) came(task, attempt, Math.min(MiB / 16, bytes - at))
}

it('ends a request for what somebody else has, and no other, however much comes beyond its part', () => {
  const task = createTask({ kind: 'range', root, from: 0, to: 8 * MiB - 1 }, true)
  const slow = standing('slow')
  const attempt = start(task, slow)
  bring(task, attempt, MiB)
  vi.setSystemTime(Date.now() + 1000)
  slow.tick(1000)
  const end = helpFor(standing('idle'), new Set([task]))
  expect(end?.part).toMatchObject({ to: 8 * MiB - 1 })
  expect(task.part).toMatchObject({ from: 0, to: end?.part.kind === 'range' ? end.part.from - 1 : NaN })
  bring(task, attempt, 8 * MiB)
  expect(attempt.stop.signal.aborted).toBe(true)
  expect(attempt.done).toBe(true)

  const undivided = createTask({ kind: 'range', root, from: 0, to: 8 * MiB - 1 }, true)
  const other = start(undivided, standing('other'))
  bring(undivided, other, 9 * MiB)
  expect(other.stop.signal.aborted).toBe(false)
})

it('does not divide what a second one brings the rest of: where in it that is, is not known', () => {
  const task = createTask({ kind: 'range', root, from: 0, to: 8 * MiB - 1 }, true)
  const first = start(task, standing('first'))
  const second = standing('second')
  const attempt = start(task, second)
  attempt.rest = 4 * MiB
  task.attempts.delete(first)
  bring(task, attempt, MiB)
  vi.setSystemTime(Date.now() + 1000)
  second.tick(1000)
  expect(owedBy(second, new Set([task]))).toBe(3 * MiB)
  expect(helpFor(standing('idle'), new Set([task]))).toBe(task)
  expect(task.part).toMatchObject({ from: 0, to: 8 * MiB - 1 })
})
