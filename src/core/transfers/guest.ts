import { toWireError, type PocketError } from '../../shared/errors.ts'
import { newRecord, type JobBoard } from './board.ts'
import { Job, type JobProgress } from './job.ts'
import type { JobRecord } from './record.ts'

/** Work of a caller, shown like a job: it is not in the journal, and over when its caller says so. */
export interface Guest {
  readonly id: string
  /** Fires, with the reason, when it is cancelled, the node stops, or may not fetch any more. */
  readonly signal: AbortSignal
  progress: (progress: JobProgress) => void
  /** From now on it is a job like the others, which goes on from `staged`. Resolves when the journal has it. */
  stay(staged: unknown): Promise<void>
  /** With the error, if it failed. Does nothing after `stay`. */
  end(error?: PocketError): void
}

export interface GuestInit extends Pick<JobRecord, 'kind'> {
  /** The caller's own choice, if it wants to know it again. */
  id?: string | undefined
  name: string
}

/** @param onStay a job has come that is to be run */
export function openGuest(board: JobBoard, { id, kind, name }: GuestInit, onStay: () => void): Guest {
  const job = new Job({ ...newRecord(kind, id ?? crypto.randomUUID()), name, state: 'running' })
  const aborter = new AbortController()
  const unwound = Promise.withResolvers<void>()
  job.guest = true
  job.run = { aborter, unwound: unwound.promise }
  job.beginRun()
  void board.add(job)
  const leave = (): void => {
    job.run = undefined
    unwound.resolve()
  }
  return {
    id: job.record.id,
    signal: aborter.signal,
    progress: (progress) => {
      if (job.guest) board.progress(job, progress)
    },
    async stay(staged) {
      aborter.signal.throwIfAborted()
      job.record = { ...job.record, staged, state: 'queued', done: 0 }
      board.hold(job)
      job.guest = false
      // Before anybody can end it: who waits for its result must hear of any end.
      job.result ??= Promise.withResolvers()
      job.result.promise.catch(() => undefined)
      leave()
      try {
        await board.set(job, job.record)
      } catch (error) {
        board.drop(job, error)
        throw error
      }
      onStay()
    },
    end(error) {
      if (!job.guest || job.run === undefined) return
      leave()
      const { record } = job
      const { total = record.done } = record
      if (error === undefined) void board.set(job, { ...record, state: 'complete', done: total, total })
      else if (error.code === 'ERR_ABORTED') void board.set(job, { ...record, state: 'cancelled' })
      else void board.set(job, { ...record, state: 'failed', error: toWireError(error) })
      void board.forget(record.id)
    },
  }
}
