import { vi } from 'vitest'
import type { Transfer } from '../../../src/contract/node-api.ts'
import { createMemoryStateTable } from '../../../src/core/storage/index.ts'
import { Jobs, type JobRun } from '../../../src/core/transfers/jobs.ts'
import { openJournal } from '../../../src/core/transfers/journal.ts'
import type { JobRecord } from '../../../src/core/transfers/record.ts'
import { PocketError } from '../../../src/shared/errors.ts'

interface Run extends JobRun {
  end(): void
  fail(error: unknown): void
}

/** Jobs whose work is done by hand. */
export async function openJobs(state = createMemoryStateTable()) {
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
export function record(id: string, more: Partial<JobRecord> = {}): JobRecord {
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
export const settle = () => vi.advanceTimersByTimeAsync(0)
export const notFound = () => new PocketError('ERR_NOT_FOUND')
