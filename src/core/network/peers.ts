import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { PeerConnection, TransportName } from '../../contract/node-api.ts'
import { PocketError } from '../../shared/errors.ts'

export async function describePeers(libp2p: Libp2p): Promise<PeerConnection[]> {
  return Promise.all(libp2p.getConnections().map((connection) => describeConnection(libp2p, connection)))
}

export async function describeConnection(libp2p: Libp2p, connection: Connection): Promise<PeerConnection> {
  const agent = await libp2p.peerStore
    .get(connection.remotePeer)
    .then((peer) => peer.metadata.get('AgentVersion'))
    .catch(() => undefined)
  return {
    peerId: connection.remotePeer.toString(),
    addr: connection.remoteAddr.toString(),
    transport: transportOf(connection.remoteAddr),
    direct: isDirect(connection.remoteAddr),
    limited: connection.limits !== undefined,
    direction: connection.direction,
    openedAt: connection.timeline.open,
    ...(agent === undefined ? {} : { agentVersion: new TextDecoder().decode(agent) }),
  }
}

/** A WebRTC address still names the relay that carried the signalling; the bytes do not pass it. */
export function isDirect(addr: Multiaddr): boolean {
  const names = addr.getComponents().map(({ name }) => name)
  return !names.includes('p2p-circuit') || names.includes('webrtc')
}

function transportOf(addr: Multiaddr): TransportName {
  const names = new Set(addr.getComponents().map(({ name }) => name))
  if (names.has('webrtc-direct')) return 'webrtc-direct'
  if (names.has('webrtc')) return 'webrtc'
  if (names.has('p2p-circuit')) return 'circuit-relay'
  if (names.has('webtransport')) return 'webtransport'
  if (names.has('ws') || names.has('wss')) return 'websocket'
  return names.has('memory') ? 'memory' : 'other'
}

/** @throws PocketError ERR_INVALID_PEER_ID */
export function parsePeerId(text: string): PeerId {
  try {
    return peerIdFromString(text)
  } catch (cause) {
    throw new PocketError('ERR_INVALID_PEER_ID', undefined, { cause, detail: { peerId: text.slice(0, 100) } })
  }
}

/** The peer an address ends at; undefined where it names none. */
export function peerOf(addr: Multiaddr): PeerId | undefined {
  const id = addr
    .getComponents()
    .filter(({ name }) => name === 'p2p')
    .at(-1)?.value
  const last = addr.getComponents().at(-1)?.name
  return id === undefined || last === 'p2p-circuit' ? undefined : parsePeerId(id)
}
