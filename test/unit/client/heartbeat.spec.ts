import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { watchHeartbeat } from '../../../src/client/heartbeat.ts'
import { LIMITS } from '../../../src/shared/limits.ts'

/** A page whose timers come late by so much, in ms: no machine is slow on demand. */
let late: (at: number) => number
let now: number
let tasks: { at: number; run: () => void }[]

beforeEach(() => {
  now = 0
  tasks = []
  late = () => 0
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms: number) => {
    const at = now + ms
    tasks.push({ at: at + late(at), run })
    return 0
  }) as unknown as typeof setTimeout)
})
afterEach(() => void vi.restoreAllMocks())

/** When a host that answers after so long, in ms, is found silent; undefined where it is not within a minute. */
function foundSilent(answerMs: (at: number) => number): number | undefined {
  let found: number | undefined
  let heardAt = 0
  const ping = (): Promise<number> => {
    tasks.push({ at: now + answerMs(now), run: () => (heardAt = now) })
    return Promise.resolve(0)
  }
  watchHeartbeat({ ping, heardAt: () => heardAt }, () => (found = now))
  while (found === undefined && now < 60_000) {
    tasks.sort((a, b) => a.at - b.at)
    const task = tasks.shift()
    if (task === undefined) break
    now = Math.max(now, task.at)
    task.run()
  }
  return found
}

const never = (): number => Infinity
const deadFrom = (time: number) => (at: number) => (at < time ? 1 : Infinity)

it('finds a host silent a second after its last word, with several pings unanswered', () => {
  expect(foundSilent(never)).toBe(LIMITS.heartbeatTimeoutMs)
  now = 0
  tasks = []
  const heard = 10 * LIMITS.heartbeatMs + 1
  expect(foundSilent(deadFrom(heard))).toBe(heard + LIMITS.heartbeatTimeoutMs)
})

it('keeps a host that always answers, however often it does within the time', () => {
  expect(foundSilent(() => 590)).toBeUndefined()
})

it('keeps a host as starved as the page itself', () => {
  // No timer of this page is late enough to be called asleep.
  late = () => LIMITS.heartbeatMs / 2 - 20
  expect(foundSilent(() => 1_100)).toBeUndefined()
})

it('gives a host time to be heard when the page wakes', () => {
  late = (at) => (at >= 3_500 && at < 30_000 ? 30_000 - at : 0)
  expect(foundSilent((at) => (at >= 3_000 && at < 30_400 ? Math.max(30_400 - at, 1) : 1))).toBeUndefined()
})
