import { describe, expect, it } from 'vitest'
import { createMemoryStateTable } from '../../../src/core/storage/index.ts'
import { openJournal, surplus } from '../../../src/core/transfers/journal.ts'
import { parseRecord, type JobRecord } from '../../../src/core/transfers/record.ts'
import { LIMITS } from '../../../src/shared/limits.ts'

const record = (id: string, more: Partial<JobRecord> = {}): JobRecord => ({
  version: 1,
  id,
  kind: 'fetch',
  state: 'queued',
  path: 'bafy/a',
  from: ['/dns4/x/tcp/1/ws'],
  done: 1,
  priority: 0,
  sources: [{ kind: 'peer', id: 'p', bytes: 1 }],
  attempts: 0,
  createdAt: 1,
  updatedAt: 1,
  ...more,
})

describe('the journal', () => {
  it('gives back what was put, oldest first, and nothing that was removed', async () => {
    const state = createMemoryStateTable()
    const first = await openJournal(state)
    expect(first.found).toEqual([])
    await first.put(record('b', { createdAt: 2 }))
    await first.put(record('a'))
    await first.put(record('c'))
    await first.put(record('b', { createdAt: 2, state: 'waiting', error: { code: 'ERR_NOT_FOUND', message: 'no' } }))
    await first.remove('c')
    const { found } = await openJournal(state)
    expect(found).toEqual([
      record('a'),
      record('b', { createdAt: 2, state: 'waiting', error: { code: 'ERR_NOT_FOUND', message: 'no' } }),
    ])
  })

  it('passes over records that it cannot read, tells their ids and leaves them where they are', async () => {
    const state = createMemoryStateTable()
    await state.set('transfer:newer', { ...record('newer'), version: 2 })
    await state.set('transfer:other', record('another'))
    await state.set('transfer:text', 'text')
    await state.set('transfer:good', record('good'))
    const { found, unreadable } = await openJournal(state)
    expect(found.map(({ id }) => id)).toEqual(['good'])
    expect(unreadable.sort()).toEqual(['newer', 'other', 'text'])
    expect(await state.get('transfer:newer')).toMatchObject({ version: 2 })
  })
})

describe('a record', () => {
  it.each<[string, object]>([
    ['version', { version: 0 }],
    ['kind', { kind: 'send' }],
    ['path of a fetch', { path: undefined }],
    ['staged sources of an import', { kind: 'import' }],
    ['state', { state: 'asleep' }],
    ['done', { done: Number.NaN }],
    ['total', { total: '5' }],
    ['from', { from: [1] }],
    ['sources', { sources: [{ kind: 'peer', id: 'x' }] }],
    ['error', { error: { code: 'ERR_NEW', message: '' } }],
  ])('with another %s is not understood', (_what, change) => {
    expect(parseRecord({ ...record('a'), ...change })).toBeUndefined()
  })

  it('may carry anything as what an import goes on from', () => {
    expect(parseRecord({ ...record('a'), kind: 'import', path: undefined, staged: { files: [1] } })).toBeDefined()
  })
})

describe('transfers that are over', () => {
  it('are too many only beyond the limit, and then it is the oldest', () => {
    const over = Array.from({ length: LIMITS.maxFinishedTransfers + 2 }, (_, at) =>
      record(String(at), { state: 'complete', updatedAt: at }),
    )
    const unfinished = record('x', { state: 'paused', updatedAt: 0 })
    expect(
      surplus([unfinished, ...over])
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['0', '1'])
    expect(surplus([unfinished, ...over.slice(2)])).toEqual([])
  })
})
