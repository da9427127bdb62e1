import type { Transfer, TransferState } from '../../contract/node-api.ts'
import { PocketError, toPocketError, toWireError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { isFinal, retryDelay } from './backoff.ts'
import { Job, type JobProgress } from './job.ts'
import { surplus, type Journal } from './journal.ts'
import type { JobRecord } from './record.ts'

/** What a run sees of its job. */
export interface JobRun {
  /** As it was when the run began. */
  readonly record: Readonly<JobRecord>
  readonly signal: AbortSignal
  progress: (progress: JobProgress) => void
}

export interface JobsInit {
  journal: Journal
  /** Does the work, from wherever it is: what is done already must cost little. Rejects soon after its signal fires. */
  run(run: JobRun): Promise<void>
  /** Keeps from collection what belongs to the job. */
  hold(record: JobRecord): () => void
  /** Puts on the disk what the runs have stored. */
  checkpoint(): Promise<void>
  /** Whether it makes sense to try at all. */
  reachable(): boolean
  onChange(transfer: Transfer): void
}

/** Watchers are told of progress at most this often, in ms: a screen draws no more. */
const PROGRESS_MS = 100
/** A rate that sinks is told this often, in ms, although nothing comes. */
const TICK_MS = 1_000
const CAPACITY = { fetch: LIMITS.maxRunningFetches, import: LIMITS.maxRunningImports }

/** Decides which job runs, and what becomes of one that ended: the journal always says what is to go on. */
export class Jobs {
  readonly #init: JobsInit
  readonly #jobs = new Map<string, Job>()
  #tick: ReturnType<typeof setInterval> | undefined
  #stopped = false

  constructor(init: JobsInit) {
    this.#init = init
    for (const found of init.journal.found) {
      const job = new Job(found)
      this.#jobs.set(found.id, job)
      // A new node is a new chance: what the last one had under way or was waiting for is tried at once.
      if (found.state === 'running' || found.state === 'waiting')
        job.record = withoutWait({ ...found, state: 'queued' })
      if (!job.over) job.letGo = init.hold(found)
    }
    for (const id of init.journal.unreadable) this.#jobs.set(id, new Job(unreadable(id)))
  }

  start(): void {
    this.#tick = setInterval(() => {
      for (const job of this.#jobs.values()) if (job.record.state === 'running') this.#tell(job, TICK_MS)
    }, TICK_MS)
    this.#schedule()
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

  /** Resolves when the journal has it. @throws PocketError ERR_LIMIT_EXCEEDED, storage codes */
  async add(record: JobRecord): Promise<Job> {
    if (this.all().filter((job) => !job.over).length >= LIMITS.maxTransfers) {
      throw new PocketError('ERR_LIMIT_EXCEEDED', 'There are too many transfers', {
        detail: { limit: LIMITS.maxTransfers },
      })
    }
    const job = new Job(record)
    // Before the journal has it: a second call for the same must find it.
    this.#jobs.set(record.id, job)
    try {
      await this.#init.journal.put(record)
    } catch (error) {
      this.#jobs.delete(record.id)
      throw toPocketError(error, 'ERR_STORAGE_LOST')
    }
    job.letGo = this.#init.hold(record)
    this.#tell(job)
    this.#schedule()
    return job
  }

  /** Changes what was asked for; resolves when the journal has it. */
  async change(job: Job, change: Partial<Pick<JobRecord, 'from' | 'name' | 'priority'>>): Promise<void> {
    await this.#set(job, { ...job.record, ...change })
    this.#schedule()
  }

  /** Puts it in the queue, whatever kept it from there. */
  async queue(job: Job): Promise<void> {
    if (job.record.state === 'queued' || job.record.state === 'running') return
    clearTimeout(job.timer)
    job.letGo ??= this.#init.hold(job.record)
    const changed = this.#set(job, withoutWait({ ...job.record, state: 'queued', attempts: 0 }))
    this.#schedule()
    await changed
  }

  /** Ends its run, if there is one, in this state; resolves when the journal has it and the run has unwound. */
  async halt(job: Job, state: Extract<TransferState, 'paused' | 'cancelled'>): Promise<void> {
    clearTimeout(job.timer)
    const changed = this.#set(job, withoutWait({ ...job.record, state }))
    job.run?.aborter.abort(new PocketError('ERR_ABORTED'))
    await job.run?.unwound
    if (job.over) this.#finish(job)
    await changed
  }

  /** Tries those that wait: something has changed that may help. */
  wake(): void {
    for (const job of this.#jobs.values()) {
      if (job.record.state !== 'waiting') continue
      const at = Math.max(Date.now(), job.record.updatedAt + LIMITS.minRetryMs)
      if (at < (job.record.nextAttemptAt ?? Infinity)) this.#wait(job, at)
    }
  }

  /** Ends the runs of fetches: they wait for `wake`. */
  interrupt(reason: PocketError): void {
    for (const job of this.#jobs.values()) {
      if (job.record.kind !== 'fetch' || job.record.state !== 'running') continue
      this.#fail(job, reason)
      job.run?.aborter.abort(reason)
    }
  }

  /** Removes one that is over. */
  async forget(job: Job): Promise<void> {
    this.#jobs.delete(job.record.id)
    await this.#init.journal.remove(job.record.id)
  }

  /** Ends all runs and leaves the journal as it is: the next node goes on from there. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#tick)
    const runs = this.all().flatMap((job) => {
      clearTimeout(job.timer)
      job.run?.aborter.abort(new PocketError('ERR_CLOSED'))
      return job.run?.unwound ?? []
    })
    await Promise.all(runs)
  }

  #schedule(): void {
    if (this.#stopped) return
    for (const kind of ['fetch', 'import'] as const) {
      const mine = this.all().filter((job) => job.record.kind === kind)
      const queued = mine.filter((job) => job.record.state === 'queued').sort(byRank)
      const active = mine.filter((job) => job.run !== undefined)
      const running = active.filter(({ record }) => record.state === 'running').sort(byRank)
      let free = CAPACITY[kind] - active.length
      let unwinding = active.length - running.length
      for (const job of queued) {
        if (job.run !== undefined) continue
        if (kind === 'fetch' && !this.#init.reachable()) this.#fail(job, new PocketError('ERR_OFFLINE'))
        else if (free > 0) {
          free--
          this.#run(job)
        } else if (unwinding > 0) unwinding--
        else {
          // The place of one that matters less; it is taken when that has unwound.
          const least = running.pop()
          if (least === undefined || compareRank(job, least) >= 0) break
          void this.#set(least, { ...least.record, state: 'queued' }).catch(ignore)
          least.run?.aborter.abort(new PocketError('ERR_ABORTED'))
        }
      }
    }
  }

  #run(job: Job): void {
    const aborter = new AbortController()
    void this.#set(job, withoutWait({ ...job.record, state: 'running' })).catch(ignore)
    job.beginRun()
    const run: JobRun = {
      record: job.record,
      signal: aborter.signal,
      progress: (progress) => this.#progress(job, progress),
    }
    const work = async (): Promise<void> => {
      try {
        await this.#init.run(run)
        // Whatever was asked for meanwhile: it is there.
        if (!this.#stopped) await this.#complete(job)
      } catch (error) {
        if (!aborter.signal.aborted) this.#fail(job, toPocketError(error))
      } finally {
        job.run = undefined
        this.#schedule()
      }
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    job.run = { aborter, unwound: promise }
    void work().finally(resolve)
  }

  async #complete(job: Job): Promise<void> {
    const { total = job.record.done } = job.record
    const changed = this.#set(job, withoutWait({ ...job.record, state: 'complete', done: total, total, attempts: 0 }))
    this.#finish(job)
    await changed.catch(ignore)
  }

  #fail(job: Job, error: PocketError): void {
    const attempts = job.record.attempts + 1
    const record: JobRecord = { ...job.record, attempts, error: toWireError(error) }
    if (isFinal(error, attempts)) {
      void this.#set(job, { ...record, state: 'failed' }).catch(ignore)
      this.#finish(job)
      return
    }
    job.record = { ...record, state: 'waiting', updatedAt: Date.now() }
    this.#wait(job, Date.now() + retryDelay(attempts))
  }

  #wait(job: Job, at: number): void {
    clearTimeout(job.timer)
    const waiting = { ...job.record, nextAttemptAt: at }
    void this.#set(job, waiting, job.record.updatedAt).catch(ignore)
    job.timer = setTimeout(() => {
      void this.#set(job, withoutNext({ ...job.record, state: 'queued' })).catch(ignore)
      this.#schedule()
    }, at - Date.now())
  }

  /** It is over: what it held may go, and so may the oldest that are over. */
  #finish(job: Job): void {
    job.letGo?.()
    job.letGo = undefined
    for (const { id } of surplus(this.all().map(({ record }) => record))) {
      this.#jobs.delete(id)
      void this.#init.journal.remove(id).catch(ignore)
    }
  }

  #progress(job: Job, progress: JobProgress): void {
    // What a run that was ended still tells is true, but its job is in another state now.
    job.progress(progress)
    this.#tell(job, PROGRESS_MS)
    if (job.record.done - job.checkpointed >= LIMITS.checkpointBytes) void this.#checkpoint(job)
  }

  async #checkpoint(job: Job): Promise<void> {
    if (job.checkpointing) return
    job.checkpointing = true
    try {
      const { done } = job.record
      await this.#init.checkpoint()
      job.checkpointed = done
      if (!this.#stopped) await this.#init.journal.put(job.record)
    } catch {
      // The next one, or the end of the job, says what is wrong.
    } finally {
      job.checkpointing = false
    }
  }

  /** Resolves when the journal has it. */
  #set(job: Job, record: JobRecord, updatedAt = Date.now()): Promise<void> {
    job.record = { ...record, updatedAt }
    this.#tell(job)
    return this.#stopped ? Promise.resolve() : this.#init.journal.put(job.record)
  }

  #tell(job: Job, notWithin = 0): void {
    const now = Date.now()
    if (now - job.toldAt < notWithin) return
    job.toldAt = now
    this.#init.onChange(job.view())
  }
}

/** The more important first; of those, what has not been tried in vain; of those, the older. */
function compareRank(a: Job, b: Job): number {
  const vain = ({ record }: Job): number => Math.min(record.attempts, 1)
  return b.record.priority - a.record.priority || vain(a) - vain(b)
}

function byRank(a: Job, b: Job): number {
  return compareRank(a, b) || a.record.createdAt - b.record.createdAt
}

function withoutNext(record: JobRecord): JobRecord {
  const { nextAttemptAt: _, ...rest } = record
  return rest
}

function withoutWait(record: JobRecord): JobRecord {
  const { error: _, ...rest } = withoutNext(record)
  return rest
}

/** Shown as what it is; on the disk it stays as it is until a person gives it up. */
function unreadable(id: string): JobRecord {
  const error = toWireError(new PocketError('ERR_STORAGE_VERSION', 'The record of this transfer cannot be read'))
  const nothing = { from: [], done: 0, priority: 0, sources: [], attempts: 0 }
  const now = Date.now()
  return { version: 1, id, kind: 'fetch', state: 'failed', error, ...nothing, createdAt: now, updatedAt: now }
}

function ignore(): void {
  // The journal is behind: the next change writes the whole record, and at worst a job goes on from an earlier state.
}
