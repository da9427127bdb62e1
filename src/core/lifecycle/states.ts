import type { LifeState } from '../../contract/node-api.ts'

/** What happens to a node, or is found out to have happened. docs/lifecycle.md draws what comes of it. */
export type LifeEvent =
  /** The network is up for the first time. */
  | 'started'
  /** A page is in front again, after a quick flip. */
  | 'shown'
  /** The same, after so long, or a change of network meanwhile, that connections may be dead. */
  | 'shown-late'
  /** No page is in front. */
  | 'hidden'
  /** All pages are frozen. */
  | 'frozen'
  /** The clock has jumped: this worker stood still. */
  | 'jumped'
  | 'offline'
  | 'online'
  /** Another network than before, without a moment offline. */
  | 'moved'
  /** Every connection has answered or was dropped. */
  | 'woken'
  | 'stop'

/** What comes of what. An event that a state does not name leaves it as it is. */
export const TRANSITIONS: Record<LifeState, Partial<Record<LifeEvent, LifeState>>> = {
  starting: { started: 'active', stop: 'stopped' },
  active: {
    hidden: 'hidden',
    frozen: 'frozen',
    jumped: 'suspended',
    offline: 'offline',
    moved: 'waking',
    stop: 'stopped',
  },
  hidden: { shown: 'active', 'shown-late': 'waking', frozen: 'frozen', jumped: 'suspended', stop: 'stopped' },
  // A page that thaws unseen is hidden again.
  frozen: { shown: 'active', 'shown-late': 'waking', hidden: 'hidden', jumped: 'suspended', stop: 'stopped' },
  // Nothing is asked of connections that may be dead until somebody looks.
  suspended: { shown: 'waking', 'shown-late': 'waking', stop: 'stopped' },
  waking: {
    woken: 'active',
    hidden: 'hidden',
    frozen: 'frozen',
    offline: 'offline',
    stop: 'stopped',
  },
  offline: { online: 'waking', hidden: 'hidden', frozen: 'frozen', jumped: 'suspended', stop: 'stopped' },
  stopped: {},
}

export function nextState(state: LifeState, event: LifeEvent): LifeState {
  return TRANSITIONS[state][event] ?? state
}
