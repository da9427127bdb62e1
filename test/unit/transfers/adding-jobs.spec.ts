import { describe, expect, it } from 'vitest'
import { createMemoryStateTable } from '../../../src/core/storage/index.ts'
import { newRecord } from '../../../src/core/transfers/board.ts'
import { Jobs, type JobRun } from '../../../src/core/transfers/jobs.ts'
import { openJournal } from '../../../src/core/transfers/journal.ts'
import { PocketError } from '../../../src/shared/errors.ts'

/** Jobs over a journal that writes when it is told to. */
async function open() {
  const state = createMemoryStateTable()
  const held = new Set<string>()
  const runs: JobRun[] = []
  const unwind = Promise.withResolvers<void>()
  const jobs = new Jobs({
    journal: await openJournal(state),
    run: async (run) => {
      runs.push(run)
      await new Promise((resolve) => run.signal.addEventListener('abort', resolve))
      await unwind.promise
    },
    hold: ({ id }) => {
      held.add(id)
      return () => void held.delete(id)
    },
    checkpoint: async () => undefined,
    blocked: () => undefined,
    onChange: () => undefined,
  })
  jobs.start()
  return { jobs, state, held, runs, unwind }
}

const full = (): Promise<void> => Promise.reject(new PocketError('ERR_QUOTA_EXCEEDED'))
const record = () => ({ ...newRecord('fetch', 'a'), path: 'a' })

describe('a job that the journal is still writing', () => {
  it('holds what belongs to it from the start, and lets go of it when it is cancelled', async () => {
    const { jobs, state, held } = await open()
    const written = Promise.withResolvers<void>()
    state.set = () => written.promise
    const adding = jobs.add(record())
    expect(held).toEqual(new Set(['a']))
    const halted = jobs.halt(jobs.get('a'), 'cancelled')
    written.resolve()
    await Promise.all([adding, halted])
    expect(held).toEqual(new Set())
    expect(jobs.get('a').record.state).toBe('cancelled')
  })

  it('ends with all that it holds when the journal does not take it, though it may run already', async () => {
    const { jobs, state, held, runs, unwind } = await open()
    const written = Promise.withResolvers<void>()
    state.set = (key) => (key.endsWith(':a') ? written.promise : Promise.resolve())
    const adding = jobs.add(record())
    // Another one makes it be scheduled.
    await jobs.add({ ...record(), id: 'b' })
    expect(runs.map((run) => run.record.id)).toContain('a')
    written.reject(new PocketError('ERR_QUOTA_EXCEEDED'))
    await expect(adding).rejects.toMatchObject({ code: 'ERR_QUOTA_EXCEEDED' })
    unwind.resolve()
    expect(held).toEqual(new Set(['b']))
    expect(jobs.all().map((job) => job.record.id)).toEqual(['b'])
    expect(runs.find((run) => run.record.id === 'a')?.signal.aborted).toBe(true)
  })
})

it('a halt that the journal does not take tells its caller when the run has unwound, and nobody else', async () => {
  const { jobs, state, unwind } = await open()
  const unhandled: unknown[] = []
  const listen = (reason: unknown): void => void unhandled.push(reason)
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', listen)
  try {
    const job = await jobs.add(record())
    state.set = full
    const halted = jobs.halt(job, 'paused')
    // What nobody has caught by then is told.
    await new Promise((resolve) => setImmediate(resolve))
    unwind.resolve()
    await expect(halted).rejects.toMatchObject({ code: 'ERR_QUOTA_EXCEEDED' })
    expect(unhandled).toEqual([])
  } finally {
    process.off('unhandledRejection', listen)
    for (const other of others) process.on('unhandledRejection', other)
  }
})
