import type { FetchProgress, Transfer, TransferSource } from '../../contract/node-api.ts'
import { displayName } from '../../shared/names.ts'
import { lastName } from '../content/paths.ts'
import { createRateMeter, type RateMeter } from './rate.ts'
import { isOver, type JobRecord } from './record.ts'

/** What a run tells of itself. */
export interface JobProgress {
  done?: number
  total?: number
  cid?: string
  sources?: FetchProgress['sources']
}

/** A job in memory: its record, and what only matters while it runs. */
export class Job {
  record: JobRecord
  /** Set while it runs, and until its run has unwound. */
  run: { aborter: AbortController; unwound: Promise<void> } | undefined
  timer: ReturnType<typeof setTimeout> | undefined
  /** Lets go of what must not be collected while the job is not over. */
  letGo: (() => void) | undefined
  /** Its caller does the work; the journal does not know of it. */
  guest = false
  /** Of whoever waits for its end. */
  result: PromiseWithResolvers<unknown> | undefined
  /** When watchers were told last. */
  toldAt = 0
  /** `done` at the last checkpoint. */
  checkpointed: number
  checkpointing = false
  #meter: RateMeter = createRateMeter()
  /** What sources brought in earlier runs. */
  #before: TransferSource[]

  constructor(record: JobRecord) {
    this.record = record
    this.#before = record.sources
    this.checkpointed = record.done
  }

  /** A new run counts from here. */
  beginRun(): void {
    this.#before = this.record.sources
    this.#meter = createRateMeter()
    this.#meter.sample(this.record.done, Date.now())
  }

  /** Takes over what a run tells. Never backwards: a new run begins by looking at what is held. */
  progress({ done, total, cid, sources }: JobProgress): void {
    const { error, ...rest } = this.record
    const advanced = done !== undefined && done > rest.done
    this.record = {
      ...rest,
      ...(advanced ? { done, attempts: 0 } : {}),
      // What a run that was ended still tells does not change why it was.
      ...(error === undefined || (advanced && rest.state === 'running') ? {} : { error }),
      ...(total === undefined ? {} : { total }),
      ...(cid === undefined ? {} : { cid }),
      ...(sources === undefined ? {} : { sources: sum(this.#before, sources) }),
    }
    if (advanced) this.#meter.sample(done, Date.now())
  }

  view(): Transfer {
    const { record } = this
    const { done, total, cid, nextAttemptAt, error } = record
    const rate = record.state === 'running' ? Math.round(this.#meter.rate(Date.now())) : 0
    return {
      id: record.id,
      kind: record.kind,
      ...(cid === undefined ? {} : { cid }),
      name: displayName(record.name, record.path === undefined ? (record.cid ?? record.id) : lastName(record.path)),
      state: record.state,
      durable: !this.guest,
      done,
      ...(total === undefined ? {} : { total }),
      rate,
      ...(rate > 0 && total !== undefined && total > done ? { timeLeft: ((total - done) * 1000) / rate } : {}),
      priority: record.priority,
      sources: record.sources,
      attempts: record.attempts,
      ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
      ...(error === undefined ? {} : { error }),
      createdAt: record.createdAt,
      updatedAt: record.updatedAt,
    }
  }

  get over(): boolean {
    return isOver(this.record)
  }
}

function sum(before: TransferSource[], now: TransferSource[]): TransferSource[] {
  const all = new Map(before.map((source) => [`${source.kind} ${source.id}`, source]))
  for (const { kind, id, bytes } of now) {
    const key = `${kind} ${id}`
    all.set(key, { kind, id, bytes: (all.get(key)?.bytes ?? 0) + bytes })
  }
  return [...all.values()]
}
