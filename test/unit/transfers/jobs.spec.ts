import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Transfer } from '../../../src/contract/node-api.ts'
import { createMemoryStateTable } from '../../../src/core/storage/index.ts'
import { Jobs, type JobRun } from '../../../src/core/transfers/jobs.ts'
import { openJournal } from '../../../src/core/transfers/journal.ts'
import type { JobRecord } from '../../../src/core/transfers/record.ts'
import { PocketError } from '../../../src/shared/errors.ts'
import { LIMITS } from '../../../src/shared/limits.ts'

const MiB = 1024 * 1024

interface Run extends JobRun {
  end(): void
  fail(error: unknown): void
}

/** Jobs whose work is done by hand. */
async function open(state = createMemoryStateTable()) {
  const runs: Run[] = []
  const told: Transfer[] = []
  const held = new Set<string>()
  const world = { reachable: true, checkpoints: 0, unwindMs: 0 }
  const jobs = new Jobs({
    journal: await openJournal(state),
    run: (run) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      run.signal.addEventListener('abort', () => {
        const unwind = (): void => reject(run.signal.reason as Error)
        if (world.unwindMs === 0) unwind()
        else setTimeout(unwind, world.unwindMs)
      })
      runs.push(Object.assign(run, { end: resolve, fail: reject }))
      return promise
    },
    hold: ({ id }) => {
      held.add(id)
      return () => void held.delete(id)
    },
    checkpoint: async () => void world.checkpoints++,
    blocked: () => (world.reachable ? undefined : new PocketError('ERR_OFFLINE')),
    onChange: (transfer) => told.push(transfer),
  })
  jobs.start()
  const states = () => Object.fromEntries(jobs.all().map(({ record: { id, state: now } }) => [id, now]))
  const written = async (id: string) => (await state.get(`transfer:${id}`)) as JobRecord | undefined
  return { jobs, runs, told, held, world, states, written, state }
}

let created = 0
function record(id: string, more: Partial<JobRecord> = {}): JobRecord {
  const nothing = { from: [], done: 0, sources: [], attempts: 0 }
  const at = ++created
  return {
    version: 1,
    id,
    kind: 'fetch',
    state: 'queued',
    path: id,
    priority: 0,
    ...nothing,
    createdAt: at,
    updatedAt: at,
    ...more,
  }
}

/** Lets promises settle; the time stands still. */
const settle = () => vi.advanceTimersByTimeAsync(0)
const notFound = () => new PocketError('ERR_NOT_FOUND')

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('jobs', () => {
  it('run so many at once and no more, the more important first, then the older', async () => {
    const { jobs, runs, states } = await open()
    for (const id of ['a', 'b', 'c', 'd', 'e']) await jobs.add(record(id))
    expect(runs.map(({ record: { id } }) => id)).toEqual(['a', 'b', 'c'])
    expect(states()).toMatchObject({ c: 'running', d: 'queued', e: 'queued' })
    await jobs.change(jobs.get('e'), { priority: 0 })
    runs[0]?.end()
    await settle()
    expect(states()).toMatchObject({ a: 'complete', d: 'running', e: 'queued' })
    expect(LIMITS.maxRunningFetches).toBe(3)
  })

  it('give the place of a less important one to a more important one, which goes on afterwards', async () => {
    const { jobs, runs, states } = await open()
    for (const id of ['a', 'b', 'c']) await jobs.add(record(id))
    await jobs.add(record('urgent', { priority: 1 }))
    await settle()
    expect(states()).toEqual({ a: 'running', b: 'running', c: 'queued', urgent: 'running' })
    runs[3]?.end()
    await settle()
    expect(states()).toEqual({ a: 'running', b: 'running', c: 'running', urgent: 'complete' })
  })

  it('interrupt one for each that is more important, and none twice', async () => {
    const { jobs, world, states } = await open()
    world.unwindMs = 50
    for (const id of ['a', 'b', 'c']) await jobs.add(record(id))
    await jobs.add(record('x', { priority: 1 }))
    await jobs.change(jobs.get('a'), { name: 'schedules again' })
    expect(states()).toEqual({ a: 'running', b: 'running', c: 'queued', x: 'queued' })
    await vi.advanceTimersByTimeAsync(50)
    expect(Object.values(states()).filter((state) => state === 'running')).toHaveLength(3)
    expect(states()).toMatchObject({ a: 'running', b: 'running', c: 'queued', x: 'running' })
  })

  it('write every state to the journal before they say so', async () => {
    const { jobs, runs, held, written } = await open()
    const job = await jobs.add(record('a'))
    expect(await written('a')).toMatchObject({ state: 'running' })
    await jobs.halt(job, 'paused')
    expect(await written('a')).toMatchObject({ state: 'paused' })
    expect(runs[0]?.signal.aborted).toBe(true)
    expect(held).toEqual(new Set(['a']))
    await jobs.queue(job)
    expect(await written('a')).toMatchObject({ state: 'running' })
    await jobs.halt(job, 'cancelled')
    expect(await written('a')).toMatchObject({ state: 'cancelled' })
    expect(held).toEqual(new Set())
  })

  it('are complete when their work is done, even if they were paused in the same moment', async () => {
    const { jobs, runs, states } = await open()
    const job = await jobs.add(record('a'))
    runs[0]?.progress({ done: 5, total: 8 })
    runs[0]?.end()
    await jobs.halt(job, 'paused')
    await settle()
    expect(states()).toEqual({ a: 'complete' })
    expect(job.view()).toMatchObject({ done: 8, total: 8 })
  })

  it('wait after a failure, longer each time, until something comes', async () => {
    const { jobs, runs, written } = await open()
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
    const { jobs, runs } = await open()
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
    const { jobs, runs, states } = await open()
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
    const { jobs, runs, held, written } = await open()
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
    const { jobs, runs, states } = await open()
    for (const id of ['a', 'b', 'c']) await jobs.add(record(id))
    for (const run of [...runs]) run.fail(notFound())
    await vi.advanceTimersByTimeAsync(LIMITS.retryDelayMs)
    expect(states()).toEqual({ a: 'running', b: 'running', c: 'running' })
    await jobs.add(record('new'))
    await settle()
    expect(states()).toEqual({ a: 'running', b: 'running', c: 'queued', new: 'running' })
  })

  it('wait for the network without trying, and go on when it is back', async () => {
    const { jobs, runs, world, states } = await open()
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
    const { jobs, runs } = await open()
    await jobs.add(record('a'))
    jobs.interrupt(new PocketError('ERR_DATA_CAP'))
    runs[0]?.progress({ done: MiB })
    await settle()
    expect(jobs.get('a').view()).toMatchObject({ state: 'waiting', done: MiB, error: { code: 'ERR_DATA_CAP' } })
  })

  it('are woken although the clock was set back a day', async () => {
    const { jobs, states } = await open()
    await jobs.add(record('a'))
    jobs.interrupt(new PocketError('ERR_OFFLINE'))
    vi.setSystemTime(Date.now() - 86_400_000)
    jobs.wake()
    await vi.advanceTimersByTimeAsync(LIMITS.minRetryMs)
    expect(states()).toEqual({ a: 'running' })
  })

  it('put how far those that run are on the disk when asked to', async () => {
    const { jobs, runs, world, written } = await open()
    await jobs.add(record('a'))
    await jobs.add(record('paused', { state: 'paused' }))
    runs[0]?.progress({ done: 5 * MiB })
    expect((await written('a'))?.done).toBe(0)
    await jobs.checkpoint()
    expect([(await written('a'))?.done, world.checkpoints]).toEqual([5 * MiB, 1])
    await jobs.stop()
    await jobs.checkpoint()
    expect(world.checkpoints).toBe(1)
  })

  it('put what came on the disk every so often, and the journal with it', async () => {
    const { jobs, runs, world, written } = await open()
    await jobs.add(record('a'))
    for (let done = MiB; done <= LIMITS.checkpointBytes + MiB; done += MiB) {
      runs[0]?.progress({ done, sources: [{ kind: 'peer', id: 'p', bytes: done, state: 'active' }] })
    }
    await settle()
    expect(world.checkpoints).toBe(1)
    expect(await written('a')).toMatchObject({
      state: 'running',
      done: LIMITS.checkpointBytes + MiB,
      sources: [{ kind: 'peer', id: 'p' }],
    })
  })

  it('do not go backwards when a new run looks at what is held, and add up what sources bring', async () => {
    const { jobs, runs } = await open()
    const job = await jobs.add(record('a'))
    runs[0]?.progress({ done: 10, total: 20, sources: [{ kind: 'peer', id: 'p', bytes: 10, state: 'active' }] })
    await jobs.halt(job, 'paused')
    await jobs.queue(job)
    runs[1]?.progress({ done: 2, sources: [{ kind: 'peer', id: 'p', bytes: 2, state: 'active' }] })
    expect(job.view()).toMatchObject({ done: 10, sources: [{ kind: 'peer', id: 'p', bytes: 12 }] })
    runs[1]?.progress({ done: 14, sources: [{ kind: 'peer', id: 'p', bytes: 4, state: 'active' }] })
    expect(job.view()).toMatchObject({ done: 14, sources: [{ kind: 'peer', id: 'p', bytes: 14 }] })
  })

  it('go on in the next node as the journal says', async () => {
    const first = await open()
    for (const id of ['paused', 'waiting', 'running']) await first.jobs.add(record(id))
    await first.jobs.halt(first.jobs.get('paused'), 'paused')
    first.runs[1]?.fail(notFound())
    await settle()
    await first.jobs.add(record('done'))
    first.runs.at(-1)?.end()
    await settle()
    await first.jobs.stop()
    expect(await first.written('running')).toMatchObject({ state: 'running' })

    const { states, held } = await open(first.state)
    expect(states()).toEqual({ paused: 'paused', waiting: 'running', running: 'running', done: 'complete' })
    expect(held).toEqual(new Set(['paused', 'waiting', 'running']))
  })

  it('show a record that cannot be read as failed, and let a person give it up', async () => {
    const state = createMemoryStateTable()
    await state.set('transfer:x', { version: 99 })
    const { jobs, runs, written } = await open(state)
    expect(jobs.get('x').view()).toMatchObject({ state: 'failed', error: { code: 'ERR_STORAGE_VERSION' } })
    expect(runs).toEqual([])
    expect(await written('x')).toEqual({ version: 99 })
    await jobs.halt(jobs.get('x'), 'cancelled')
    expect(await written('x')).toMatchObject({ state: 'cancelled' })
  })

  it('that are over are kept up to a limit', async () => {
    const { jobs, runs, written } = await open()
    for (let at = 0; at <= LIMITS.maxFinishedTransfers; at++) {
      await jobs.add(record(`n${at}`))
      runs.at(-1)?.end()
      await vi.advanceTimersByTimeAsync(1)
    }
    expect(jobs.all()).toHaveLength(LIMITS.maxFinishedTransfers)
    expect(await written('n0')).toBeUndefined()
    expect(await written('n1')).toBeDefined()
  })

  it('are refused when there are too many', async () => {
    const { jobs } = await open()
    for (let at = 0; at < LIMITS.maxTransfers; at++) await jobs.add(record(`n${at}`))
    await expect(jobs.add(record('x'))).rejects.toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
    expect(() => jobs.get('x')).toThrow(expect.objectContaining({ code: 'ERR_NO_TRANSFER' }))
  })

  it('tell of a rate that sinks although nothing comes', async () => {
    const { jobs, runs, told } = await open()
    await jobs.add(record('a'))
    await vi.advanceTimersByTimeAsync(500)
    runs[0]?.progress({ done: 5 * MiB, total: 50 * MiB })
    const rate = (): number => told.at(-1)?.rate ?? -1
    expect(rate()).toBe(10 * MiB)
    expect(told.at(-1)?.timeLeft).toBe(4_500)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(rate()).toBeLessThan(3 * MiB)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(rate()).toBe(0)
  })
})
