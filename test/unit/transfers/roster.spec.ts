import type { Libp2p } from '@libp2p/interface'
import { expect, it } from 'vitest'
import { HTTP_PROTOCOL } from '../../../src/core/gateway/http-head.ts'
import { createRoster } from '../../../src/core/transfers/sources/roster.ts'
import { webFetch } from '../../../src/platform/worker/web-fetch.ts'
import { createStore } from '../../support/node/fetching.ts'

/** A libp2p with one connection, whose peer store answers when it is told to. */
function slowPeerStore() {
  const questions: PromiseWithResolvers<{ protocols: string[] }>[] = []
  const remotePeer = { toString: () => 'peer' }
  const remoteAddr = { getComponents: () => [] }
  const libp2p = Object.assign(new EventTarget(), {
    getConnections: () => [{ status: 'open', remotePeer, remoteAddr }],
    peerStore: {
      get: () => {
        const question = Promise.withResolvers<{ protocols: string[] }>()
        questions.push(question)
        return question.promise
      },
    },
  })
  return { libp2p: libp2p as unknown as Libp2p, questions }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('what was seen last counts, however long it takes to see it', async () => {
  const { libp2p, questions } = slowPeerStore()
  const { source } = await createStore()
  let changes = 0
  const roster = createRoster(
    { libp2p, fetch: webFetch, source, reach: async () => undefined },
    { from: [], signal: new AbortController().signal, onChange: () => changes++ },
  )
  // While the first look is under way the peer is identified, twice.
  libp2p.dispatchEvent(new Event('peer:identify'))
  libp2p.dispatchEvent(new Event('peer:update'))
  // Whoever was asked last answers first.
  for (const later of questions.slice(1)) later.resolve({ protocols: [HTTP_PROTOCOL] })
  await turn()
  questions[0]?.resolve({ protocols: [] })
  await turn()
  for (const later of questions.slice(1)) later.resolve({ protocols: [HTTP_PROTOCOL] })
  await roster.ready
  expect(roster.list().map(({ id }) => id)).toEqual(['peer'])
  expect(changes).toBe(1)
  roster.stop()
})
