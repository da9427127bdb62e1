import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PocketError } from '../../../src/shared/errors.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { notFound, openJobs, record, settle } from '../../support/node/jobs.ts'

const MiB = 1024 * 1024

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('jobs that fail or cannot go on', () => {
  it('wait after a failure, longer each time, until something comes', async () => {
    const { jobs, runs, written } = await openJobs()
    const job = await jobs.add(record('a'))
    const delays: number[] = []
    for (let attempt = 1; attempt <= 3; attempt++) {
      runs.at(-1)?.fail(notFound())
      await settle()
      expect(await written('a')).toMatchObject({
        state: 'waiting',
        attempts: attempt,
        error: { code: 'ERR_NOT_FOUND' },
      })
      delays.push((job.view().nextAttemptAt ?? 0) - Date.now())
      await vi.advanceTimersByTimeAsync(delays.at(-1) ?? 0)
      expect(job.record.state).toBe('running')
      expect(job.view()).not.toHaveProperty('nextAttemptAt')
    }
    const bounds = delays.map((delay, at) => delay / (LIMITS.retryDelayMs * 2 ** at))
    for (const bound of bounds) expect(bound).toBeGreaterThanOrEqual(0.5)
    for (const bound of bounds) expect(bound).toBeLessThanOrEqual(1)
    runs.at(-1)?.progress({ done: 1 })
    expect(job.view().attempts).toBe(0)
  })

  it('say why the last try failed until something comes, or a person tries', async () => {
    const { jobs, runs } = await openJobs()
    const error = () => jobs.all()[0]?.view().error?.code
    await jobs.add(record('a'))
    await settle()
    runs[0]!.fail(notFound())
    await vi.advanceTimersByTimeAsync(LIMITS.retryDelayMs)
    expect([runs.length, error()]).toEqual([2, 'ERR_NOT_FOUND'])
    await jobs.queue(jobs.all()[0]!)
    expect([runs.length, error()]).toEqual([2, undefined])
    runs[1]!.fail(notFound())
    await vi.advanceTimersByTimeAsync(2 * LIMITS.retryDelayMs)
    runs[2]!.progress({ done: 1 })
    expect([runs.length, error()]).toEqual([3, undefined])
  })

  it('that wait are tried at once when something changed, but not the moment after they failed', async () => {
    const { jobs, runs, states } = await openJobs()
    await jobs.add(record('a', { attempts: 9 }))
    runs[0]?.fail(notFound())
    await settle()
    jobs.wake()
    await settle()
    expect(states()).toEqual({ a: 'waiting' })
    await vi.advanceTimersByTimeAsync(LIMITS.minRetryMs)
    expect(states()).toEqual({ a: 'running' })
  })

  it('end with the reason when trying again is in vain', async () => {
    const { jobs, runs, held, written } = await openJobs()
    const job = await jobs.add(record('a'))
    runs[0]?.fail(new PocketError('ERR_INVALID_BLOCK'))
    await settle()
    expect(await written('a')).toMatchObject({ state: 'failed', error: { code: 'ERR_INVALID_BLOCK' } })
    expect(held).toEqual(new Set())
    await jobs.queue(job)
    expect(job.view()).not.toHaveProperty('error')
    expect(job.record.state).toBe('running')
    expect(held).toEqual(new Set(['a']))
  })

  it('one that was tried in vain keeps no place from a new one', async () => {
    const { jobs, runs, states } = await openJobs()
    for (const id of ['a', 'b', 'c']) await jobs.add(record(id))
    for (const run of [...runs]) run.fail(notFound())
    await vi.advanceTimersByTimeAsync(LIMITS.retryDelayMs)
    expect(states()).toEqual({ a: 'running', b: 'running', c: 'running' })
    await jobs.add(record('new'))
    await settle()
    expect(states()).toEqual({ a: 'running', b: 'running', c: 'queued', new: 'running' })
  })

  it('wait for the network without trying, and go on when it is back', async () => {
    const { jobs, runs, world, states } = await openJobs()
    await jobs.add(record('a'))
    world.reachable = false
    jobs.interrupt(new PocketError('ERR_OFFLINE'))
    await jobs.add(record('b'))
    await settle()
    expect(states()).toEqual({ a: 'waiting', b: 'waiting' })
    expect(jobs.get('b').view().error?.code).toBe('ERR_OFFLINE')
    world.reachable = true
    await vi.advanceTimersByTimeAsync(LIMITS.minRetryMs)
    jobs.wake()
    await settle()
    expect(states()).toEqual({ a: 'running', b: 'running' })
    expect(runs).toHaveLength(3)
  })

  it('keep why they wait, whatever the run that was ended still tells', async () => {
    const { jobs, runs } = await openJobs()
    await jobs.add(record('a'))
    jobs.interrupt(new PocketError('ERR_DATA_CAP'))
    runs[0]?.progress({ done: MiB })
    await settle()
    expect(jobs.get('a').view()).toMatchObject({ state: 'waiting', done: MiB, error: { code: 'ERR_DATA_CAP' } })
  })

  it('are woken although the clock was set back a day', async () => {
    const { jobs, states } = await openJobs()
    await jobs.add(record('a'))
    jobs.interrupt(new PocketError('ERR_OFFLINE'))
    vi.setSystemTime(Date.now() - 86_400_000)
    jobs.wake()
    await vi.advanceTimersByTimeAsync(LIMITS.minRetryMs)
    expect(states()).toEqual({ a: 'running' })
  })
})
