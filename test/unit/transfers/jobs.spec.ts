import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryStateTable } from '../../../src/core/storage/index.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { notFound, openJobs, record, settle } from '../../support/node/jobs.ts'

const MiB = 1024 * 1024

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('jobs', () => {
  it('run so many at once and no more, the more important first, then the older', async () => {
    const { jobs, runs, states } = await openJobs()
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
    const { jobs, runs, states } = await openJobs()
    for (const id of ['a', 'b', 'c']) await jobs.add(record(id))
    await jobs.add(record('urgent', { priority: 1 }))
    await settle()
    expect(states()).toEqual({ a: 'running', b: 'running', c: 'queued', urgent: 'running' })
    runs[3]?.end()
    await settle()
    expect(states()).toEqual({ a: 'running', b: 'running', c: 'running', urgent: 'complete' })
  })

  it('interrupt one for each that is more important, and none twice', async () => {
    const { jobs, world, states } = await openJobs()
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
    const { jobs, runs, held, written } = await openJobs()
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
    const { jobs, runs, states } = await openJobs()
    const job = await jobs.add(record('a'))
    runs[0]?.progress({ done: 5, total: 8 })
    runs[0]?.end()
    await jobs.halt(job, 'paused')
    await settle()
    expect(states()).toEqual({ a: 'complete' })
    expect(job.view()).toMatchObject({ done: 8, total: 8 })
  })

  it('put how far those that run are on the disk when asked to', async () => {
    const { jobs, runs, world, written } = await openJobs()
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
    const { jobs, runs, world, written } = await openJobs()
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
    const { jobs, runs } = await openJobs()
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
    const first = await openJobs()
    for (const id of ['paused', 'waiting', 'running']) await first.jobs.add(record(id))
    await first.jobs.halt(first.jobs.get('paused'), 'paused')
    first.runs[1]?.fail(notFound())
    await settle()
    await first.jobs.add(record('done'))
    first.runs.at(-1)?.end()
    await settle()
    await first.jobs.stop()
    expect(await first.written('running')).toMatchObject({ state: 'running' })

    const { states, held } = await openJobs(first.state)
    expect(states()).toEqual({ paused: 'paused', waiting: 'running', running: 'running', done: 'complete' })
    expect(held).toEqual(new Set(['paused', 'waiting', 'running']))
  })

  it('show a record that cannot be read as failed, and let a person give it up', async () => {
    const state = createMemoryStateTable()
    await state.set('transfer:x', { version: 99 })
    const { jobs, runs, written } = await openJobs(state)
    expect(jobs.get('x').view()).toMatchObject({ state: 'failed', error: { code: 'ERR_STORAGE_VERSION' } })
    expect(runs).toEqual([])
    expect(await written('x')).toEqual({ version: 99 })
    await jobs.halt(jobs.get('x'), 'cancelled')
    expect(await written('x')).toMatchObject({ state: 'cancelled' })
  })

  it('that are over are kept up to a limit', async () => {
    const { jobs, runs, written } = await openJobs()
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
    const { jobs } = await openJobs()
    for (let at = 0; at < LIMITS.maxTransfers; at++) await jobs.add(record(`n${at}`))
    await expect(jobs.add(record('x'))).rejects.toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
    expect(() => jobs.get('x')).toThrow(expect.objectContaining({ code: 'ERR_NO_TRANSFER' }))
  })

  it('tell of a rate that sinks although nothing comes', async () => {
    const { jobs, runs, told } = await openJobs()
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
