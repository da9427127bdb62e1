import { LIMITS } from '../../../shared/limits.ts'
import { sizeOfPart, type Part } from './part.ts'
import type { Standing } from './standing.ts'

export interface Task {
  part: Part
  /** The part ends where its file does, if not before: it can be divided. */
  sized: boolean
  attempts: Set<Attempt>
  /** How often it failed, and whom it failed with. */
  failures: number
  failedWith: Set<string>
  /** The root came with it: what is beyond is being planned. */
  opening?: Promise<void>
}

export interface Attempt {
  standing: Standing
  stop: AbortController
  startedAt: number
  /** Bytes that came, as they were sent. */
  came: number
  /** Of one that came second: bytes that were missing of the part then. Which of them have come is not known. */
  rest?: number
  /** Somebody else has the end of what it asked for. */
  shortened: boolean
  /** Stopped because all came that it still had to bring: no fault. */
  done: boolean
}

export function createAttempt(task: Task, standing: Standing): Attempt {
  return {
    standing,
    stop: new AbortController(),
    startedAt: Date.now(),
    came: 0,
    ...(task.attempts.size > 0 && { rest: sizeOfPart(task.part) }),
    shortened: false,
    done: false,
  }
}

/** A part that waits; `before` is what it is left of. */
export function createTask(part: Part, sized: boolean, before?: Task): Task {
  return {
    part,
    sized,
    attempts: new Set(),
    failures: before?.failures ?? 0,
    failedWith: new Set(before?.failedWith),
  }
}

/** What asking costs before anything comes, in ms: a hand-over must save more than that. */
const ASK_MS = 300
/** A request that nothing came of for so long, in ms, has no rate. */
const DEAD_MS = 1000
/** What came of an answer beyond the bytes of its file: its head and the nodes above them. */
const OVERHEAD_BYTES = 64 * 1024

/**
 * What an idle source would have before those who are at it: of the one who needs longest, the end of a part, as much as
 * lets both finish together, taken from it as a task of its own; what cannot be divided as a whole.
 */
export function helpFor(standing: Standing, tasks: ReadonlySet<Task>): Task | undefined {
  // One more request on a line in use takes from the first.
  if (standing.running > 0) return undefined
  const now = Date.now()
  let best: { task: Task; at: number | undefined; theirs: number; left: number } | undefined
  for (const task of tasks) {
    const [attempt] = task.attempts
    if (task.attempts.size !== 1 || attempt === undefined || task.failedWith.has(standing.source.id)) continue
    const age = now - attempt.startedAt
    if (age <= ASK_MS) continue
    const { speed } = attempt.standing
    const rated = speed > 0 && (attempt.came > 0 || age < DEAD_MS)
    const left = leftOf(task, attempt)
    const owed = owedBy(attempt.standing, tasks)
    const theirs = rated ? (owed / speed) * 1000 : Infinity
    if (theirs < (best?.theirs ?? 0) || (theirs === best?.theirs && left <= best.left)) continue
    // Whoever was not seen at work yet may try.
    const mine = standing.speed || Infinity
    const share = owed / (1 + speed / (standing.speed || speed))
    const at = rated ? placeFor(task, attempt, share) : undefined
    const bytes = at === undefined ? left : sizeOfPart(task.part) - at
    if (theirs > ASK_MS + (bytes / mine) * 1000) best = { task, at, theirs, left }
  }
  return best?.at === undefined ? best?.task : divide(best.task, best.at)
}

/** Counts bytes of an attempt, and ends one whose end somebody else has when it has brought what its part is by now. */
export function came({ part }: Task, attempt: Attempt, bytes: number): void {
  // By what was there before: that has been taken.
  if (attempt.shortened && attempt.came >= sizeOfPart(part) + OVERHEAD_BYTES) {
    attempt.done = true
    attempt.stop.abort()
  }
  attempt.came += bytes
  attempt.standing.came(bytes)
}

const leftOf = ({ part }: Task, { came, rest }: Attempt): number => Math.max(0, (rest ?? sizeOfPart(part)) - came)

/** Bytes that a source still has to bring. */
export function owedBy(standing: Standing, tasks: ReadonlySet<Task>): number {
  let owed = 0
  for (const task of tasks) {
    for (const attempt of task.attempts) if (attempt.standing === standing) owed += leftOf(task, attempt)
  }
  return owed
}

/** Where to divide a range so that its end has about `share` bytes, from its beginning; undefined when it is not worth it. */
function placeFor({ part, sized }: Task, { came, rest }: Attempt, share: number): number | undefined {
  if (!sized || part.kind !== 'range' || rest !== undefined) return undefined
  const step = LIMITS.minCarWindowBytes
  const soonest = came + step / 2
  const at = Math.ceil(Math.max(soonest, sizeOfPart(part) - Math.max(share, step)) / step) * step
  return at < sizeOfPart(part) ? at : undefined
}

/** Takes the end of a range from a task. */
function divide(task: Task, at: number): Task {
  const { part } = task
  if (part.kind !== 'range') return task
  task.part = { ...part, to: part.from + at - 1 }
  for (const attempt of task.attempts) attempt.shortened = true
  return createTask({ ...part, from: part.from + at }, true, task)
}
