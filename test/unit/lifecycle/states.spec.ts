import { describe, expect, it } from 'vitest'
import type { LifeState } from '../../../src/contract/node-api.ts'
import { nextState, TRANSITIONS, type LifeEvent } from '../../../src/core/lifecycle/states.ts'

const EVENTS: LifeEvent[] = [
  'started',
  'shown',
  'shown-late',
  'hidden',
  'frozen',
  'jumped',
  'offline',
  'online',
  'moved',
  'woken',
  'stop',
]
const STATES = Object.keys(TRANSITIONS) as LifeState[]

/** What each event makes of each state, in the order of EVENTS; a dot where nothing changes. */
const TABLE: Record<LifeState, string> = {
  starting: 'active . . . . . . . . . stopped',
  active: '. . . hidden frozen suspended offline . waking . stopped',
  hidden: '. active waking . frozen suspended . . . . stopped',
  frozen: '. active waking hidden . suspended . . . . stopped',
  suspended: '. waking waking . . . . . . . stopped',
  waking: '. . . hidden frozen . offline . . active stopped',
  offline: '. . . hidden frozen suspended . waking . . stopped',
  stopped: '. . . . . . . . . . .',
}

describe('the states of a node’s life', () => {
  it.each(STATES)('%s', (state) => {
    const row = EVENTS.map((event) => nextState(state, event)).map((next) => (next === state ? '.' : next))
    expect(row.join(' ')).toBe(TABLE[state])
  })

  it('can all be reached from the first, and end in the last', () => {
    const seen = new Set<LifeState>(['starting'])
    for (const state of seen) for (const event of EVENTS) seen.add(nextState(state, event))
    expect([...seen].sort()).toEqual([...STATES].sort())
    for (const state of STATES) expect(nextState(state, 'stop')).toBe('stopped')
  })
})
