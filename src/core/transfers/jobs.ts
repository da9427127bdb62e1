import type { TransferState } from '../../contract/node-api.ts'
import { PocketError, toPocketError, toWireError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { isFinal, retryDelay } from './backoff.ts'
import { JobBoard, withoutNext, withoutWait, type BoardInit } from './board.ts'
import { openGuest, type Guest, type GuestInit } from './guest.ts'
import { Job, type JobProgress } from './job.ts'
import type { JobRecord } from './record.ts'

/** What a run sees of its job. */
export interface JobRun {
  /** As it was when the run began. */
  readonly record: Readonly<JobRecord>
  readonly signal: AbortSignal
  progress: (progress: JobProgress) => void
}

export interface JobsInit extends BoardInit {
  /**
   * Does the work, from wherever it is: what is done already must cost little. Resolves with what `result` is to give;
   * rejects soon after its signal fires.
   */
  run(run: JobRun): Promise<unknown>
  /** Why it makes no sense to try to fetch at all, if so: who finds that changed calls `wake`. */
  blocked(): PocketError | undefined
}

const CAPACITY = { fetch: LIMITS.maxRunningFetches, import: LIMITS.maxRunningImports }

/** Decides which job runs, and what becomes of one that ended: the journal always says what is to go on. */
export class Jobs {
  readonly #init: JobsInit
  readonly #board: JobBoard

  constructor(init: JobsInit) {
    this.#init = init
    this.#board = new JobBoard(init)
  }

  start(): void {
    this.#board.open()
    this.#schedule()
  }

  all(): Job[] {
    return this.#board.all()
  }

  /** @throws PocketError ERR_NO_TRANSFER */
  get(id: string): Job {
    return this.#board.get(id)
  }

  /** Resolves when the journal has it. @throws PocketError ERR_LIMIT_EXCEEDED, storage codes */
  async add(record: JobRecord): Promise<Job> {
    if (this.all().filter((job) => !job.over).length >= LIMITS.maxTransfers) {
      throw new PocketError('ERR_LIMIT_EXCEEDED', 'There are too many transfers', {
        detail: { limit: LIMITS.maxTransfers },
      })
    }
    const job = new Job(record)
    // Before the journal has it: whoever cancels it meanwhile lets go of what it holds.
    this.#board.hold(job)
    await this.#board.add(job).catch((error: unknown) => {
      throw toPocketError(error, 'ERR_STORAGE_LOST')
    })
    this.#schedule()
    return job
  }

  /** Shows what a caller does. */
  guest(init: GuestInit): Guest {
    // One that is under way keeps its id.
    const taken = this.all().some(({ record }) => record.id === init.id)
    return openGuest(this.#board, { ...init, ...(taken ? { id: undefined } : {}) }, () => this.#schedule())
  }

  /** What the run of a job ends with. @throws PocketError why it failed; ERR_ABORTED when it is cancelled, ERR_CLOSED */
  result(id: string): Promise<unknown> {
    const job = this.get(id)
    job.result ??= Promise.withResolvers()
    return job.result.promise
  }

  /** Changes what was asked for; resolves when the journal has it. */
  async change(job: Job, change: Partial<Pick<JobRecord, 'from' | 'name' | 'priority'>>): Promise<void> {
    await this.#board.set(job, { ...job.record, ...change })
    this.#schedule()
  }

  /** Puts it in the queue, whatever kept it from there. */
  async queue(job: Job): Promise<void> {
    if (job.record.state === 'queued' || job.record.state === 'running') {
      // Tried at this moment: what went wrong before is of no interest any more.
      if (job.record.error !== undefined) await this.#board.set(job, withoutWait(job.record))
      return
    }
    clearTimeout(job.timer)
    this.#board.hold(job)
    const changed = this.#board.set(job, withoutWait({ ...job.record, state: 'queued', attempts: 0 }))
    this.#schedule()
    await changed
  }

  /** Ends its run, if there is one, in this state; resolves when the journal has it and the run has unwound. */
  async halt(job: Job, state: Extract<TransferState, 'paused' | 'cancelled'>): Promise<void> {
    clearTimeout(job.timer)
    // A guest's state is its caller's to say.
    const changed = job.guest ? undefined : this.#board.set(job, withoutWait({ ...job.record, state }))
    // The run may take longer than the journal: who calls hears of both at the end.
    changed?.catch(() => undefined)
    job.run?.aborter.abort(new PocketError('ERR_ABORTED'))
    await job.run?.unwound
    if (job.over) this.#finish(job, new PocketError('ERR_ABORTED'))
    await changed
  }

  /** Tries those that wait: something has changed that may help. At once, when somebody has just come back to see it. */
  wake(minRetryMs: number = LIMITS.minRetryMs): void {
    for (const job of this.all()) {
      if (job.record.state !== 'waiting') continue
      const now = Date.now()
      // A clock that was set back must not make it wait for the time it was.
      const at = Math.min(Math.max(now, job.record.updatedAt + minRetryMs), now + minRetryMs)
      if (at < (job.record.nextAttemptAt ?? Infinity)) this.#wait(job, at)
    }
  }

  /** Puts what runs, and how far it is, on the disk. */
  checkpoint(): Promise<void> {
    return this.#board.checkpoint()
  }

  /**
   * Ends the runs of fetches: they wait for `wake`, and callers are told. A network that is lost may be back in a moment,
   * and what is here can be kept without it: that alone is no reason to let callers down.
   */
  interrupt(reason: PocketError): void {
    for (const job of this.all()) {
      if (job.record.kind !== 'fetch' || job.record.state !== 'running') continue
      if (!job.guest) this.#fail(job, reason)
      else if (reason.code === 'ERR_OFFLINE' && reason.detail?.chosen !== true) continue
      job.run?.aborter.abort(reason)
    }
  }

  /** Removes one that is over. */
  forget(job: Job): Promise<void> {
    return this.#board.forget(job.record.id)
  }

  /** Ends all runs and leaves the journal as it is: the next node goes on from there. */
  async stop(): Promise<void> {
    this.#board.close()
    const reason = new PocketError('ERR_CLOSED')
    const runs = this.all().map(async (job) => {
      clearTimeout(job.timer)
      job.run?.aborter.abort(reason)
      job.result?.reject(reason)
      await job.run?.unwound
    })
    await Promise.all(runs)
  }

  #schedule(): void {
    if (this.#board.closed) return
    for (const kind of ['fetch', 'import'] as const) {
      const mine = this.all().filter((job) => job.record.kind === kind && !job.guest)
      const queued = mine.filter((job) => job.record.state === 'queued').sort(byRank)
      const active = mine.filter((job) => job.run !== undefined)
      const running = active.filter(({ record }) => record.state === 'running').sort(byRank)
      let free = CAPACITY[kind] - active.length
      let unwinding = active.length - running.length
      for (const job of queued) {
        if (job.run !== undefined) continue
        const blocked = kind === 'fetch' ? this.#init.blocked() : undefined
        if (blocked !== undefined) this.#fail(job, blocked)
        else if (free > 0) {
          free--
          this.#run(job)
        } else if (unwinding > 0) unwinding--
        else {
          // The place of one that matters less; it is taken when that has unwound.
          const least = running.pop()
          if (least === undefined || compareRank(job, least) >= 0) break
          this.#board.note(least, { ...least.record, state: 'queued' })
          least.run?.aborter.abort(new PocketError('ERR_ABORTED'))
        }
      }
    }
  }

  #run(job: Job): void {
    const aborter = new AbortController()
    // Why the last try failed stays to be seen until something comes.
    this.#board.note(job, withoutNext({ ...job.record, state: 'running' }))
    job.beginRun()
    const run: JobRun = {
      record: job.record,
      signal: aborter.signal,
      progress: (progress) => this.#board.progress(job, progress),
    }
    const work = async (): Promise<void> => {
      try {
        const result = await this.#init.run(run)
        // Whatever was asked for meanwhile: it is there.
        if (!this.#board.closed) await this.#complete(job, result)
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

  async #complete(job: Job, result: unknown): Promise<void> {
    const { total = job.record.done } = job.record
    const complete = withoutWait({ ...job.record, state: 'complete', done: total, total, attempts: 0 })
    const changed = this.#board.set(job, complete).catch(() => undefined)
    job.result?.resolve(result)
    this.#board.finish(job)
    await changed
  }

  #fail(job: Job, error: PocketError): void {
    const attempts = job.record.attempts + 1
    const record: JobRecord = { ...job.record, attempts, error: toWireError(error) }
    if (isFinal(error, attempts)) {
      this.#board.note(job, { ...record, state: 'failed' })
      this.#finish(job, error)
      return
    }
    job.record = { ...record, state: 'waiting', updatedAt: Date.now() }
    this.#wait(job, Date.now() + retryDelay(attempts))
  }

  #finish(job: Job, error: PocketError): void {
    job.result?.reject(error)
    this.#board.finish(job)
  }

  #wait(job: Job, at: number): void {
    clearTimeout(job.timer)
    this.#board.note(job, { ...job.record, nextAttemptAt: at }, job.record.updatedAt)
    job.timer = setTimeout(() => {
      this.#board.note(job, withoutNext({ ...job.record, state: 'queued' }))
      this.#schedule()
    }, at - Date.now())
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
