import type { CID } from 'multiformats/cid'
import type { FetchSource } from '../../../contract/node-api.ts'
import { PocketError, toPocketError } from '../../../shared/errors.ts'
import { LIMITS } from '../../../shared/limits.ts'
import type { BlockSource } from '../../content/block-source.ts'
import { checkCid } from '../../content/cids.ts'
import { incomplete, isFatal, isLie, isTooLarge, notFound } from './faults.ts'
import { missingOf } from './missing.ts'
import { fileSizeOf, sizeOfPart, whole, type Part } from './part.ts'
import { createPatience } from './patience.ts'
import { createSink, type SinkInit } from './sink.ts'
import { createPlans } from './plans.ts'
import type { Source } from './source.ts'
import { createStanding, onlyLiars, type Standing } from './standing.ts'
import { createAttempt, createTask, helpFor, came, owedBy, type Attempt, type Task } from './tasks.ts'
import { everyTick } from './tick.ts'

export interface SchedulerInit {
  store: Pick<BlockSource, 'has' | 'getLocal' | 'sizeOf'>
  blocks: SinkInit['blocks']
  /** Who can be asked at this moment. */
  sources: () => Source[]
  signal: AbortSignal
  /** A missing block came and is committed. */
  onStored: (cid: CID, bytes: number) => void
  /** A block was there already. */
  onHeld: (cid: CID, bytes: number) => void
  /** A source was dropped, for now or for good. */
  onDropped: () => void
  /** Without a verified block for so long, in ms, it gives up. */
  patienceMs?: number
}

export interface Scheduler {
  /** Brings what is missing of a DAG. @throws PocketError ERR_NOT_FOUND, or why those who were asked were dropped */
  run(root: CID): Promise<void>
  /** Somebody came or went. */
  wake(): void
  describe(): FetchSource[]
}

/** Failures of a part after which it is asked for block by block. */
const BLOCKWISE_AFTER = 2
/** Of a file whose root is not known: others can be asked as soon as that is here. */
const FIRST_BYTES = 4 * LIMITS.minCarWindowBytes
/** Failures of a part among all sources after which its maker is believed to be the liar. */
const MAX_PART_FAILURES = 64

export function createScheduler(init: SchedulerInit): Scheduler {
  return new SourceScheduler(init)
}

/**
 * Parts go to whoever has room, the fastest first, as large as its rate is worth; the next is looked for when it is needed.
 * When none is left, those who are idle are given the ends of what the slowest still owe; of what cannot be divided all, and
 * whoever is first wins. Every block is checked before it is stored, whoever brings it: a source that fails is paused, one
 * that lies is out.
 */
class SourceScheduler implements Scheduler {
  readonly #init: SchedulerInit
  readonly #standings = new Map<string, Standing>()
  readonly #tasks = new Set<Task>()
  readonly #plans = createPlans()
  readonly #working = new Set<Promise<void>>()
  #patience = createPatience()
  #failure: { error: unknown } | undefined
  #wake: () => void = () => undefined

  constructor(init: SchedulerInit) {
    this.#init = init
  }

  wake(): void {
    this.#wake()
  }

  describe(): FetchSource[] {
    const now = Date.now()
    return [...this.#standings.values()].map((standing) => standing.describe(now))
  }

  async run(root: CID): Promise<void> {
    const { signal, store } = this.#init
    this.#patience = createPatience()
    checkCid(root)
    if (await store.has(root)) this.#plans.add(this.#missing(whole(root)))
    // As an entity it is the root and the first window, if it is a file: one round trip less.
    else this.#add(createTask({ kind: 'range', root, from: 0, to: FIRST_BYTES - 1 }, false))
    const stop = (): void => this.#wake()
    signal.addEventListener('abort', stop)
    const stopTicking = everyTick((ms) => this.#tick(ms))
    try {
      while (this.#failure === undefined && !signal.aborted) {
        const woken = new Promise<void>((resolve) => (this.#wake = resolve))
        await this.#assign()
        if (this.#tasks.size === 0) return
        this.#checkPatience()
        if (this.#failure === undefined && !signal.aborted) await woken
      }
    } catch (error) {
      this.#failure ??= { error }
    } finally {
      stopTicking()
      signal.removeEventListener('abort', stop)
      await this.#end()
    }
    if (signal.aborted) throw new PocketError('ERR_ABORTED', undefined, { cause: signal.reason })
    throw toPocketError(this.#failure?.error)
  }

  /** The root came: what is beyond the first request can be planned while that goes on. */
  async #open(task: Task): Promise<void> {
    const { root } = task.part
    const size = fileSizeOf(root, await this.#init.store.getLocal(root))
    if (size !== undefined) {
      this.#plans.add(this.#missing({ kind: 'range', root, from: FIRST_BYTES, to: Number.MAX_SAFE_INTEGER }))
      task.part = { kind: 'range', root, from: 0, to: Math.max(1, Math.min(FIRST_BYTES, size)) - 1 }
      task.sized = true
    } else {
      this.#plans.add(this.#missing(whole(root)))
      task.part = { kind: 'block', root }
    }
    this.#wake()
  }

  #missing(part: Part): AsyncGenerator<Part, void> {
    return missingOf(part, this.#init.store, { ...this.#init, windowBytes: LIMITS.minCarWindowBytes })
  }

  /** Gives jobs as long as somebody has room. */
  async #assign(): Promise<void> {
    for (;;) {
      const waiting = [...this.#tasks].filter(({ attempts }) => attempts.size === 0)
      const standing = this.#next()
      // Without one, and with nobody at work, all is here.
      if (waiting.length === 0 && (standing !== undefined || this.#tasks.size === 0)) {
        const next = await this.#plan(standing)
        if (next !== undefined) waiting.push(next)
      }
      if (standing === undefined) return
      const unfailed = waiting.find(({ failedWith }) => !failedWith.has(standing.source.id))
      const task = unfailed ?? (await this.#plan(standing)) ?? waiting[0] ?? helpFor(standing, this.#tasks)
      if (task === undefined) return
      this.#start(this.#add(task), standing)
    }
  }

  /** Who is to have the next job. */
  #next(): Standing | undefined {
    const now = Date.now()
    const owed = (standing: Standing): number => owedBy(standing, this.#tasks)
    const all = this.#present()
    const usable = all.filter(({ source }) => !source.lastResort())
    // Those who are busy with all their lanes are as good as ready.
    const first = usable.some((each) => each.ready(now) || each.running > 0)
    return (first ? usable : all)
      .filter((standing) => standing.ready(now))
      .sort((a, b) => (b.rate ?? Infinity) - (a.rate ?? Infinity) || owed(a) - owed(b))[0]
  }

  #present(): Standing[] {
    return this.#init.sources().map((source) => {
      const standing = this.#standings.get(source.id) ?? createStanding(source)
      this.#standings.set(source.id, standing)
      return standing
    })
  }

  async #plan(standing?: Standing): Promise<Task | undefined> {
    const part = await this.#plans.next(standing?.window() ?? LIMITS.minCarWindowBytes)
    return part === undefined ? undefined : this.#add(createTask(part, true))
  }

  #add(task: Task): Task {
    this.#tasks.add(task)
    return task
  }

  #start(task: Task, standing: Standing): void {
    const attempt = createAttempt(task, standing)
    task.attempts.add(attempt)
    standing.running++
    const work = this.#work(task, attempt).finally(() => {
      standing.running--
      task.attempts.delete(attempt)
      this.#working.delete(work)
      this.#wake()
    })
    this.#working.add(work)
  }

  async #work(task: Task, attempt: Attempt): Promise<void> {
    const { standing, stop } = attempt
    const root =
      task.part.kind === 'range' && !(await this.#init.store.has(task.part.root)) ? task.part.root : undefined
    const { store, blocks, signal, onStored } = this.#init
    const sink = createSink({
      blocks,
      onStored: (cid, bytes) => {
        this.#patience.arrived()
        standing.brought(bytes)
        onStored(cid, bytes)
        if (root?.equals(cid) === true && task.opening === undefined) {
          task.opening = this.#open(task)
          // Nobody waits for it yet, and nobody will when this is cancelled.
          task.opening.catch(() => undefined)
        }
      },
    })
    const both = AbortSignal.any([signal, stop.signal])
    const isOff = (): boolean => signal.aborted || (stop.signal.aborted && !attempt.done)
    let failure: { error: unknown } | undefined
    try {
      // Of a part that somebody else is at, what is missing by now.
      const parts = attempt.rest === undefined ? [task.part] : await this.#left(task.part)
      if (attempt.rest !== undefined) attempt.rest = parts.reduce((sum, each) => sum + sizeOfPart(each), 0)
      for (const part of parts) {
        await standing.source.bring(part, {
          signal: both,
          store,
          sink,
          alive: (bytes) => {
            this.#patience.heard()
            came(task, attempt, bytes)
          },
          blockwise: task.failures >= BLOCKWISE_AFTER,
        })
      }
    } catch (error) {
      if (isOff()) return
      if (!attempt.done) failure = { error }
    }
    try {
      await this.#settle(task, attempt, failure)
    } catch (error) {
      if (!isOff()) this.#failure ??= { error }
    }
  }

  /** After an attempt: what of the part is still missing goes on. */
  async #settle(task: Task, { standing, done }: Attempt, failure: { error: unknown } | undefined): Promise<void> {
    const error = failure === undefined ? undefined : toPocketError(failure.error)
    if (error !== undefined && isFatal(error)) throw error
    await task.opening
    const left = await this.#left(task.part)
    if (!this.#tasks.has(task)) return
    // What is larger than its maker said is no fault of the source.
    const fault = error ?? (left.length > 0 && !done ? incomplete() : undefined)
    if (fault !== undefined && !isTooLarge(fault)) {
      standing.failed(fault, Date.now())
      this.#init.onDropped()
      task.failures++
      task.failedWith.add(standing.source.id)
      if (task.failures > MAX_PART_FAILURES) throw fault
    }
    // Somebody else is at it still.
    if (left.length > 0 && task.attempts.size > 1) return
    if (left.length === 0 && task.part.kind === 'block' && task.opening === undefined) {
      this.#plans.add(this.#missing(whole(task.part.root)))
    }
    this.#tasks.delete(task)
    for (const other of task.attempts) other.stop.abort()
    // Without its root it is the same part still.
    for (const part of left) this.#add(createTask(part, part !== task.part, task))
  }

  async #left(part: Part): Promise<Part[]> {
    const left: Part[] = []
    for await (const each of missingOf(part, this.#init.store)) left.push(each)
    return left
  }

  #tick(ms: number): void {
    for (const standing of this.#standings.values()) standing.tick(ms)
    this.#wake()
  }

  #checkPatience(): void {
    const { patienceMs = LIMITS.findTimeoutMs } = this.#init
    if (this.#patience.lasts(patienceMs) && !onlyLiars(this.#present())) return
    const errors = [...this.#standings.values()].flatMap(({ error }) => error ?? [])
    this.#failure = { error: errors.find(isLie) ?? notFound(errors[0]) }
  }

  async #end(): Promise<void> {
    await this.#plans.end()
    const tasks = [...this.#tasks]
    this.#tasks.clear()
    for (const { attempts } of tasks) for (const { stop } of attempts) stop.abort()
    // Nothing is written any more when this is over.
    await Promise.allSettled(this.#working)
  }
}
