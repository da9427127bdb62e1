import { TAKEOVER_LOCK } from '../contract/host-link.ts'
import { toPocketError } from '../shared/errors.ts'
import { leaveGeneration } from './generation.ts'
import type { Attached, Introduction } from './handshake.ts'
import { Leadership } from './leadership.ts'
import { findOwner, holdLock } from './locks.ts'
import { byDoor, byOwnWorker, bySharedWorker, bySilence, firstOf, type Outcome } from './routes.ts'
import type { WorkerUrl } from './workers.ts'

export interface LadderOptions {
  workerUrl: WorkerUrl
  /** Leaves SharedWorkers out, as if the browser had none. */
  fallback: 'dedicated-worker' | undefined
}

/** A host that is gone or silent; only a silent one has to be robbed of the node. */
export interface LostHost {
  hostId: string
  silent: boolean
  generation: number
}

/** A host that is silent, or of an older build. */
type Replaced = Pick<LostHost, 'hostId' | 'generation'>

/**
 * Finds the host of this origin's node, or starts one: a SharedWorker; where there is none, a dedicated worker in the
 * page that leads. The door, a BroadcastChannel, leads to a host of either kind, so that pages which disagree about the
 * first step meet all the same. See docs/adr/0001-worker-ladder.md.
 */
export interface Ladder {
  /** @throws PocketError ERR_ABORTED, ERR_NO_HOST, ERR_HOST_VERSION, or what the node failed to start with */
  attach(relays: string[], lost: LostHost | undefined, signal: AbortSignal): Promise<Attached>
  /** Ends a worker of this page, so that another page may lead. */
  rest(): void
}

export function createLadder({ workerUrl, fallback }: LadderOptions): Ladder {
  const leadership = new Leadership(workerUrl)
  return {
    async attach(relays, lost, signal) {
      let shared = fallback === undefined
      const heard = new Set<string>()
      let replaced: Replaced | undefined = lost?.silent === true ? lost : undefined
      for (;;) {
        if (replaced !== undefined) heard.add(replaced.hostId)
        const introduction: Introduction = {
          relays,
          replaces: replaced?.hostId,
          onStarting: (hostId) => void heard.add(hostId),
        }
        const outcome: Outcome | undefined = shared
          ? await climbShared(workerUrl, introduction, replaced, heard, signal)
          : await climbDedicated(leadership, introduction, heard, signal)
        if (outcome === undefined) throw toPocketError(signal.reason, 'ERR_ABORTED')
        switch (outcome.kind) {
          case 'attached':
            return outcome.attached
          case 'no-shared-worker':
            shared = false
            break
          case 'useless':
            replaced = outcome
        }
      }
    },
    rest: () => leadership.resign(),
  }
}

/** The door is asked only when the SharedWorker does not answer as fast as one that runs, in ms. */
const DOOR_MS = 300

function climbShared(
  url: WorkerUrl,
  introduction: Introduction,
  replaced: Replaced | undefined,
  heard: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  if (replaced !== undefined) leaveGeneration(replaced.generation)
  return firstOf([bySharedWorker(url, introduction), byDoor(introduction, DOOR_MS), bySilence(heard)], signal)
}

/** How long a takeover by another page is waited for, in ms: one that takes longer has taken the node by then. */
const TAKEOVER_MS = 1_000

async function climbDedicated(
  leadership: Leadership,
  introduction: Introduction,
  heard: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const climb = (): Promise<Outcome | undefined> =>
    firstOf(
      [byDoor(introduction, 0, () => leadership.starts), byOwnWorker(leadership, introduction), bySilence(heard)],
      signal,
    )
  if (introduction.replaces === undefined) return climb()
  // All pages find the host silent at the same time; one replaces it, the others find the new one.
  const release = await holdLock(TAKEOVER_LOCK, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(TAKEOVER_MS)]),
  }).catch(() => () => undefined)
  try {
    const owner = await findOwner()
    if (owner === undefined || owner === introduction.replaces) await leadership.seize()
    return await climb()
  } finally {
    release()
  }
}
