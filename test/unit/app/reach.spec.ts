import { expect, it } from 'vitest'
import type { PeerConnection } from '../../../src/contract/node-api.ts'
import { bestPaths } from '../../../src/app/state/reach.ts'

const connection = (peerId: string, transport: PeerConnection['transport']): PeerConnection => ({
  peerId,
  addr: `/${transport}/p2p/${peerId}`,
  transport,
  direct: transport !== 'circuit-relay',
  limited: transport === 'circuit-relay',
  direction: 'outbound',
  openedAt: 0,
})

it('a peer is one line, its direct path before one through the relay', () => {
  const relay = connection('relay', 'websocket')
  const relayed = connection('phone', 'circuit-relay')
  const direct = connection('phone', 'webrtc')
  const far = connection('far', 'circuit-relay')
  expect(bestPaths([relay, relayed, direct, far])).toEqual([relay, direct, far])
  expect(bestPaths([direct, relayed])).toEqual([direct])
  expect(bestPaths([])).toEqual([])
})
