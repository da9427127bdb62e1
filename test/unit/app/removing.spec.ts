import { expect, it } from 'vitest'
import type { Transfer } from '../../../src/contract/node-api.ts'
import type { App } from '../../../src/app/state/app.svelte.ts'
import { FileActions } from '../../../src/app/state/file-actions.svelte.ts'
import { goesOut } from '../../../src/app/state/under-way.ts'

const send = { kind: 'send', state: 'running', cid: 'a' } as const

/** A page of the file `a`, with these transfers under way. */
function open(transfers: Pick<Transfer, 'kind' | 'state' | 'cid'>[]) {
  const removed: string[] = []
  const app = {
    node: { goesOut: (cid: string) => goesOut(transfers, cid) },
    removing: { remove: (cid: string) => void removed.push(cid) },
    router: { back: () => undefined },
  }
  return { actions: new FileActions(app as unknown as App), removed }
}

it.each([
  ['nothing is under way', []],
  ['another file goes out', [{ ...send, cid: 'b' }]],
  ['it has gone out', [{ ...send, state: 'complete' as const }]],
  ['it is fetched', [{ ...send, kind: 'fetch' as const }]],
])('a file is removed at once while %s', (_what, transfers) => {
  const { actions, removed } = open(transfers)
  actions.remove('a', 'a.txt')
  expect(removed).toEqual(['a'])
})

it('a file that somebody is receiving is removed only when a person says so once more', () => {
  const { actions, removed } = open([send])
  actions.remove('a', 'a.txt')
  expect([actions.asking, actions.removed, removed]).toEqual([true, false, []])
  actions.dontRemove()
  actions.remove('a', 'a.txt')
  expect([actions.asking, removed]).toEqual([true, []])
  actions.remove('a', 'a.txt')
  expect([actions.removed, removed]).toEqual([true, ['a']])
})
