import { sizeOfPart, type Part } from './part.ts'
import type { Standing } from './standing.ts'

export interface Task {
  part: Part
  attempts: Set<Attempt>
  /** Bytes of it that came. */
  came: number
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
}

/** A part that waits; `before` is what it is left of. */
export function createTask(part: Part, before?: Task): Task {
  return {
    part,
    attempts: new Set(),
    came: 0,
    failures: before?.failures ?? 0,
    failedWith: new Set(before?.failedWith),
  }
}

/** What asking costs before anything comes, in ms: a hand-over must save more than that. */
const ASK_MS = 300

/** A part that an idle source would have before those who are at it: the one that would take longest. */
export function straggler(tasks: Iterable<Task>, standing: Standing): Task | undefined {
  const now = Date.now()
  let slowest: { task: Task; left: number } | undefined
  for (const task of tasks) {
    if (task.attempts.size !== 1 || task.failedWith.has(standing.source.id)) continue
    const [attempt] = task.attempts
    if (attempt === undefined || attempt.standing === standing) continue
    const age = now - attempt.startedAt
    const bytes = Math.max(0, sizeOfPart(task.part) - task.came)
    const theirs = task.came > 0 ? (bytes / task.came) * age : Infinity
    // Whoever was not seen at work yet may try.
    const mine = ASK_MS + (standing.rate === undefined ? 0 : (bytes / standing.rate) * 1000)
    if (age > ASK_MS && theirs > mine && theirs > (slowest?.left ?? 0)) slowest = { task, left: theirs }
  }
  return slowest?.task
}
