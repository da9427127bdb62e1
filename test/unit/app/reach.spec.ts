import { expect, it } from 'vitest'
import type { NodeStatus, PeerConnection } from '../../../src/contract/node-api.ts'
import { bestPaths, reachAnswer, statusLine } from '../../../src/app/state/reach.ts'

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

it('a network that does not start is told, and not that the node is starting', () => {
  const starting = { state: 'starting' } as NodeStatus
  const failing: NodeStatus = { ...starting, error: { code: 'ERR_NETWORK_START', message: '' } }
  const lines = (status: NodeStatus): string[] => {
    const known = { phase: 'ready', online: true, status } as const
    return [statusLine(known), reachAnswer(known)].map(({ tone }) => tone)
  }
  expect(lines(starting)).toEqual(['wait', 'wait'])
  expect(lines(failing)).toEqual(['bad', 'bad'])
})
