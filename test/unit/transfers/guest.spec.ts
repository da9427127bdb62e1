import { describe, expect, it } from 'vitest'
import { createMemoryStateTable } from '../../../src/core/storage/index.ts'
import { Jobs } from '../../../src/core/transfers/jobs.ts'
import { openJournal } from '../../../src/core/transfers/journal.ts'
import { PocketError } from '../../../src/shared/errors.ts'

async function open() {
  const state = createMemoryStateTable()
  const held = new Set<string>()
  let runs = 0
  const jobs = new Jobs({
    journal: await openJournal(state),
    run: async () => void runs++,
    hold: ({ id }) => {
      held.add(id)
      return () => void held.delete(id)
    },
    checkpoint: async () => undefined,
    blocked: () => undefined,
    onChange: () => undefined,
  })
  jobs.start()
  return { jobs, state, held, runs: () => runs }
}

describe('work of a caller that is to stay as a job', () => {
  it('is no job when the journal does not take it', async () => {
    const { jobs, state, held, runs } = await open()
    const guest = jobs.guest({ kind: 'import', name: 'a' })
    state.set = () => Promise.reject(new PocketError('ERR_QUOTA_EXCEEDED'))
    await expect(guest.stay({})).rejects.toMatchObject({ code: 'ERR_QUOTA_EXCEEDED' })
    expect(jobs.all()).toEqual([])
    expect([held.size, runs()]).toEqual([0, 0])
  })

  it('is told why it may not fetch any more, unless the network is only lost', async () => {
    const { jobs } = await open()
    const fetching = jobs.guest({ kind: 'fetch', name: 'a' })
    const adding = jobs.guest({ kind: 'import', name: 'b' })
    jobs.interrupt(new PocketError('ERR_OFFLINE'))
    expect(fetching.signal.aborted).toBe(false)
    const reason = new PocketError('ERR_DATA_CAP')
    jobs.interrupt(reason)
    expect(fetching.signal.reason).toBe(reason)
    expect(adding.signal.aborted).toBe(false)
  })

  it('tells its caller when it is cancelled before the journal has it', async () => {
    const { jobs, state } = await open()
    const guest = jobs.guest({ kind: 'import', name: 'a' })
    const written = Promise.withResolvers<void>()
    state.set = () => written.promise
    const staying = guest.stay({})
    const halted = jobs.halt(jobs.get(guest.id), 'cancelled')
    await Promise.resolve()
    written.resolve()
    await Promise.all([staying, halted])
    await expect(jobs.result(guest.id)).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  })
})
