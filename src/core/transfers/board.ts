import type { Transfer } from '../../contract/node-api.ts'
import { PocketError, toWireError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { Job, type JobProgress } from './job.ts'
import { surplus, type Journal } from './journal.ts'
import { isOver, type JobRecord } from './record.ts'

export interface BoardInit {
  journal: Journal
  /** Keeps from collection what belongs to the job. */
  hold(record: JobRecord): () => void
  /** Puts on the disk what the runs have stored. */
  checkpoint(): Promise<void>
  onChange(transfer: Transfer): void
}

/** Watchers are told of progress at most this often, in ms: a screen draws no more. */
const PROGRESS_MS = 100
/** A rate that sinks is told this often, in ms, although nothing comes. */
const TICK_MS = 1_000

/** All jobs, as the journal and the watchers know them. */
export class JobBoard {
  readonly #init: BoardInit
  readonly #jobs = new Map<string, Job>()
  #tick: ReturnType<typeof setInterval> | undefined
  #closed = false

  constructor(init: BoardInit) {
    this.#init = init
    for (const found of init.journal.found) {
      const job = new Job(found)
      this.#jobs.set(found.id, job)
      // A new node is a new chance: what the last one had under way or was waiting for is tried at once.
      if (found.state === 'running' || found.state === 'waiting')
        job.record = withoutWait({ ...found, state: 'queued' })
      if (!job.over) this.hold(job)
    }
    for (const id of init.journal.unreadable) this.#jobs.set(id, new Job(unreadable(id)))
  }

  get closed(): boolean {
    return this.#closed
  }

  open(): void {
    this.#tick = setInterval(() => {
      for (const job of this.#jobs.values()) if (job.record.state === 'running') this.#tell(job, TICK_MS)
    }, TICK_MS)
  }

  /** The journal stays as it is from now on. */
  close(): void {
    this.#closed = true
    clearInterval(this.#tick)
  }

  all(): Job[] {
    return [...this.#jobs.values()]
  }

  /** @throws PocketError ERR_NO_TRANSFER */
  get(id: string): Job {
    const job = this.#jobs.get(id)
    if (job === undefined) throw new PocketError('ERR_NO_TRANSFER', undefined, { detail: { id } })
    return job
  }

  /** Shows a job; resolves when the journal has it. One that the journal does not take is gone. */
  async add(job: Job): Promise<void> {
    // Before the journal has it: a second call for the same must find it.
    this.#jobs.set(job.record.id, job)
    try {
      await this.set(job, job.record)
    } catch (error) {
      this.drop(job, error)
      throw error
    }
  }

  /** The journal does not know it: it must not go on behind the back of a caller who is told that it failed. */
  drop(job: Job, reason: unknown): void {
    clearTimeout(job.timer)
    job.run?.aborter.abort(reason)
    this.#letGo(job)
    void this.forget(job.record.id).catch(ignore)
  }

  /** Resolves when the journal has it; watchers are told at once. */
  set(job: Job, record: JobRecord, updatedAt = Date.now()): Promise<void> {
    job.record = { ...(isOver(record) ? withoutStaged(record) : record), updatedAt }
    this.#tell(job)
    return this.#closed || job.guest ? Promise.resolve() : this.#init.journal.put(job.record)
  }

  /** As `set`, where the journal may be behind: the next change writes the whole record, and at worst a job goes on from an earlier state. */
  note(job: Job, record: JobRecord, updatedAt?: number): void {
    void this.set(job, record, updatedAt).catch(ignore)
  }

  hold(job: Job): void {
    job.letGo ??= this.#init.hold(job.record)
  }

  /** It is over: what it held may go, and so may the oldest that are over. */
  finish(job: Job): void {
    this.#letGo(job)
    for (const { id } of surplus(this.all().map(({ record }) => record))) void this.forget(id).catch(ignore)
  }

  async forget(id: string): Promise<void> {
    const job = this.#jobs.get(id)
    this.#jobs.delete(id)
    if (job?.guest !== true) await this.#init.journal.remove(id)
  }

  progress(job: Job, progress: JobProgress): void {
    // What a run that was ended still tells is true, but its job is in another state now.
    job.progress(progress)
    this.#tell(job, PROGRESS_MS)
    if (!job.guest && job.record.done - job.checkpointed >= LIMITS.checkpointBytes) void this.#checkpoint(job)
  }

  /** All that runs. @throws what the store and the journal do */
  async checkpoint(): Promise<void> {
    if (this.#closed) return
    const running = this.all().filter(({ guest, record }) => !guest && record.state === 'running')
    // Beside each other: should the journal be ahead, the next run looks at what the store has.
    const records = running.map(({ record }) => record)
    await Promise.all([this.#init.checkpoint(), records.length > 0 && this.#init.journal.putAll(records)])
    for (const job of running) job.checkpointed = job.record.done
  }

  async #checkpoint(job: Job): Promise<void> {
    if (job.checkpointing) return
    job.checkpointing = true
    try {
      const { done } = job.record
      await this.#init.checkpoint()
      job.checkpointed = done
      if (!this.#closed) await this.#init.journal.put(job.record)
    } catch {
      // The next one, or the end of the job, says what is wrong.
    } finally {
      job.checkpointing = false
    }
  }

  #letGo(job: Job): void {
    job.letGo?.()
    job.letGo = undefined
  }

  #tell(job: Job, notWithin = 0): void {
    const now = Date.now()
    if (now - job.toldAt < notWithin) return
    job.toldAt = now
    this.#init.onChange(job.view())
  }
}

export function withoutNext(record: JobRecord): JobRecord {
  const { nextAttemptAt: _, ...rest } = record
  return rest
}

export function withoutWait(record: JobRecord): JobRecord {
  const { error: _, ...rest } = withoutNext(record)
  return rest
}

/** What an import goes on from may be large, and the files that it names are let go. */
function withoutStaged(record: JobRecord): JobRecord {
  const { staged: _, ...rest } = record
  return rest
}

/** Shown as what it is; on the disk it stays as it is until a person gives it up. */
function unreadable(id: string): JobRecord {
  const error = toWireError(new PocketError('ERR_STORAGE_VERSION', 'The record of this transfer cannot be read'))
  return { ...newRecord('fetch', id), state: 'failed', error }
}

export function newRecord(kind: JobRecord['kind'], id: string): JobRecord {
  const now = Date.now()
  const nothing = { from: [], done: 0, priority: 0, sources: [], attempts: 0 }
  return { version: 1, id, kind, state: 'queued', ...nothing, createdAt: now, updatedAt: now }
}

function ignore(): void {
  // Who has to know awaits it.
}
