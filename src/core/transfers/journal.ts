import { LIMITS } from '../../shared/limits.ts'
import type { StateTable } from '../ports.ts'
import { isOver, parseRecord, type JobRecord } from './record.ts'

/** Transfers on the disk, a record each. */
export interface Journal {
  /** What was there when it was opened, oldest first. */
  readonly found: JobRecord[]
  /** Ids of records that this version does not understand: left on the disk until they are removed. */
  readonly unreadable: string[]
  /** Resolves when it is on the disk. Later ones of the same id win. */
  put(record: JobRecord): Promise<void>
  /** The same for several, in one transaction. */
  putAll(records: JobRecord[]): Promise<void>
  remove(id: string): Promise<void>
}

const PREFIX = 'transfer:'

export async function openJournal(state: StateTable): Promise<Journal> {
  const found: JobRecord[] = []
  const unreadable: string[] = []
  for (const [key, value] of await state.entries(PREFIX)) {
    const record = parseRecord(value)
    const id = key.slice(PREFIX.length)
    if (record?.id === id) found.push(record)
    else unreadable.push(id)
  }
  return {
    found: found.sort((a, b) => a.createdAt - b.createdAt),
    unreadable,
    put: (record) => state.set(PREFIX + record.id, record),
    putAll: (records) =>
      state.batch(
        records.map((record) => [PREFIX + record.id, record]),
        [],
        'strict',
      ),
    remove: (id) => state.delete(PREFIX + id),
  }
}

/** Of transfers that are over, those that are too many: the oldest. */
export function surplus<T extends Pick<JobRecord, 'state' | 'updatedAt'>>(records: T[]): T[] {
  const over = records.filter(isOver).sort((a, b) => b.updatedAt - a.updatedAt)
  return over.slice(LIMITS.maxFinishedTransfers)
}
