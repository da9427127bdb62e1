import type { Connection, Libp2p } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { FetchSource } from '../../../contract/node-api.ts'
import { toPocketError, toWireError } from '../../../shared/errors.ts'
import { LIMITS } from '../../../shared/limits.ts'
import type { BlockSource } from '../../content/block-source.ts'
import { HTTP_PROTOCOL } from '../../gateway/http-head.ts'
import { groupByPeer } from '../../network/followed.ts'
import { isDirect } from '../../network/peers.ts'
import { parseMultiaddr } from '../../network/multiaddr.ts'
import type { FetchPort } from '../../ports.ts'
import { createBitswapSource } from './bitswap-source.ts'
import { askGateway, parseGateway } from './gateway-ask.ts'
import { createHttpSource } from './http-source.ts'
import { askPeer } from './peer-ask.ts'
import type { Source } from './source.ts'

/** Who can be asked right now. */
export interface Roster {
  list(): Source[]
  /** Addresses that could not be dialled. */
  failed(): FetchSource[]
  /** Resolves when the peers that are connected at the start are known. */
  ready: Promise<void>
  stop(): void
}

export interface RosterInit {
  libp2p: Libp2p
  fetch: FetchPort
  source: Pick<BlockSource, 'get'>
  /** CAR requests under way at one peer. Default LIMITS.carStreams. */
  lanes?: () => number
  /** Dials one peer because somebody said so, and goes on seeing to it. Rejects when that came to nothing this time. */
  reach: (addrs: Multiaddr[]) => Promise<unknown>
}

export interface RosterOptions {
  /** Multiaddrs and URLs of gateways. */
  from: string[]
  signal: AbortSignal
  /** Somebody came or went. */
  onChange: () => void
}

const EVENTS = ['connection:open', 'connection:close', 'peer:identify', 'peer:update'] as const

/** Follows the connections while a fetch goes on. @throws PocketError ERR_INVALID_ARGUMENT, ERR_INVALID_MULTIADDR */
export function createRoster(init: RosterInit, { from, signal, onChange }: RosterOptions): Roster {
  const { libp2p } = init
  const named = groupByPeer(from.filter((one) => one.startsWith('/')).map(parseMultiaddr))
  const gateways = from
    .filter((one) => !one.startsWith('/'))
    .map(parseGateway)
    .map((id) =>
      createHttpSource({ kind: 'gateway', id, lanes: LIMITS.gatewayRequests, ask: askGateway(id, init.fetch) }),
    )
  const peers = new Map<string, Source>()
  const failed: FetchSource[] = []
  let speakers = new Set<string>()
  let others = false
  let anyBitswap = false
  const bitswap = createBitswapSource(init.source, () => !others)

  const peerSource = (id: string): Source => {
    const known = peers.get(id)
    if (known !== undefined) return known
    const ask = askPeer(() => bestConnections(libp2p).get(id))
    const lanes = init.lanes?.() ?? LIMITS.carStreams
    const source = {
      ...createHttpSource({ kind: 'peer', id, lanes, ask }),
      gone: () => !bestConnections(libp2p).has(id),
    }
    peers.set(id, source)
    return source
  }

  async function look(): Promise<void> {
    const now = new Set<string>()
    let bitswapOnly = false
    let bitswapToo = false
    for (const [id, { remotePeer }] of bestConnections(libp2p)) {
      const protocols = await libp2p.peerStore.get(remotePeer).then(
        (peer) => peer.protocols,
        (): string[] => [],
      )
      const speaksBitswap = protocols.some((protocol) => protocol.startsWith('/ipfs/bitswap'))
      bitswapToo ||= speaksBitswap
      if (protocols.includes(HTTP_PROTOCOL)) now.add(id)
      else bitswapOnly ||= speaksBitswap
    }
    const changed =
      bitswapOnly !== others ||
      bitswapToo !== anyBitswap ||
      now.size !== speakers.size ||
      [...now].some((id) => !speakers.has(id))
    others = bitswapOnly
    anyBitswap = bitswapToo
    speakers = now
    if (changed) onChange()
  }

  let asked = false
  let looking = false
  /** One after the other: what was seen first must not have the last word. */
  async function follow(): Promise<void> {
    asked = true
    if (looking) return
    looking = true
    while (asked) {
      asked = false
      await look()
    }
    looking = false
  }

  const onEvent = (): void => void follow()
  for (const type of EVENTS) libp2p.addEventListener(type, onEvent)
  for (const addrs of named) {
    init.reach(addrs).catch((error: unknown) => {
      if (signal.aborted) return
      const coded = toPocketError(error, 'ERR_DIAL_FAILED')
      failed.push({ kind: 'peer', id: String(addrs[0]), bytes: 0, state: 'dropped', error: toWireError(coded) })
      onChange()
    })
  }
  return {
    ready: follow(),
    failed: () => failed,
    list: () => [
      ...[...speakers].map(peerSource),
      ...gateways,
      // Not before it is known what they speak: it may be better.
      ...(anyBitswap ? [bitswap] : []),
    ],
    stop() {
      for (const type of EVENTS) libp2p.removeEventListener(type, onEvent)
    },
  }
}

/** One connection for each peer, the direct one where there are two. */
function bestConnections(libp2p: Libp2p): Map<string, Connection> {
  const best = new Map<string, Connection>()
  for (const connection of libp2p.getConnections()) {
    if (connection.status !== 'open') continue
    const key = connection.remotePeer.toString()
    const known = best.get(key)
    if (known === undefined || (!isDirect(known.remoteAddr) && isDirect(connection.remoteAddr))) {
      best.set(key, connection)
    }
  }
  return best
}
