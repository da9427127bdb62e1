import type { NodeStatus, PeerConnection } from '../../contract/node-api.ts'
import { t } from '../strings/index.ts'
import type { NodeState } from './node.svelte.ts'

export interface Line {
  text: string
  tone: 'good' | 'warn' | 'bad' | 'wait'
}

type Known = Pick<NodeState, 'phase' | 'status' | 'online'>

/** The node in about five words. */
export function statusLine({ phase, status, online }: Known): Line {
  if (phase === 'failed') return { text: t.line.failed, tone: 'bad' }
  if (phase === 'lost') return { text: t.line.lost, tone: 'wait' }
  if (status?.error !== undefined) return { text: t.line.notUp, tone: 'bad' }
  if (status === undefined || status.state === 'starting') return { text: t.line.starting, tone: 'wait' }
  const { quiet } = status.profile
  if (quiet !== undefined) return { text: t.line.quiet[quiet], tone: quiet === 'hidden' ? 'wait' : 'warn' }
  if (!online) return { text: t.line.noNetwork, tone: 'warn' }
  if (status.reachable) return { text: t.line.reachable, tone: 'good' }
  if (status.relays.length === 0) return { text: t.line.alone, tone: 'warn' }
  if (status.relays.some(({ state }) => state === 'connecting')) return { text: t.line.connecting, tone: 'wait' }
  return { text: t.line.outgoing, tone: 'warn' }
}

/** 'Can others reach me?' in a sentence. */
export function reachAnswer({ phase, status, online }: Known): Line {
  if (phase === 'failed') return { text: t.status.failed, tone: 'bad' }
  if (status?.error !== undefined && phase !== 'lost') return { text: t.status.notUp, tone: 'bad' }
  if (status === undefined || status.state === 'starting' || phase === 'lost') {
    return { text: t.status.starting, tone: 'wait' }
  }
  const { quiet } = status.profile
  if (quiet !== undefined) return { text: t.status.quiet[quiet], tone: quiet === 'hidden' ? 'wait' : 'warn' }
  if (!online) return { text: t.status.noNetwork, tone: 'warn' }
  if (status.reachable) return { text: t.status.yes, tone: 'good' }
  const { relays } = status
  if (relays.length === 0) return { text: t.status.noRelay, tone: 'warn' }
  if (relays.some(({ state }) => state === 'connecting')) return { text: t.status.connecting, tone: 'wait' }
  if (relays.some(({ state }) => state === 'connected')) return { text: t.status.relayFull, tone: 'warn' }
  return { text: t.status.relayFailed, tone: 'bad' }
}

/** One line for each peer: its best path, a direct one before one through a relay. */
export function bestPaths(connections: PeerConnection[]): PeerConnection[] {
  const best = new Map<string, PeerConnection>()
  for (const each of connections) {
    const known = best.get(each.peerId)
    if (known === undefined || (each.direct && !known.direct)) best.set(each.peerId, each)
  }
  return [...best.values()]
}

export function isRelay(peerId: string, status: NodeStatus | undefined): boolean {
  return status?.relays.some(({ addr }) => addr.endsWith(`/p2p/${peerId}`)) ?? false
}

/** What a person calls a peer. */
export function peerName(
  { peerId, agentVersion }: Pick<PeerConnection, 'peerId' | 'agentVersion'>,
  status: NodeStatus | undefined,
): string {
  if (isRelay(peerId, status)) return t.peers.companion
  if (agentVersion === undefined) return t.peers.peer
  return agentVersion.startsWith('pocket-ipfs/') ? t.peers.phone : (agentVersion.split('/')[0] ?? t.peers.peer)
}

export function shortId(id: string): string {
  return t.peers.ending(id.slice(-6))
}
