import type { Libp2p } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { LIMITS } from '../../shared/limits.ts'
import type { NetworkInfo, WebRtcInfo } from '../ports.ts'
import type { Dialer } from './dialer.ts'
import { isDirect, parsePeerId, peerOf } from './peers.ts'

/**
 * Peers that links and callers named: dialled in the background, and again when a connection is lost or a better one can be
 * had. The one place that does so, for links that are opened and for fetches alike.
 */
export interface Followed {
  /** The addresses may be those of several peers. */
  follow(hints: Multiaddr[]): void
  /**
   * Follows one peer, and says how it went this time: a dial that is under way for the same addresses is waited for.
   * @throws what `Dialer.reach` throws
   */
  reach(addrs: Multiaddr[]): Promise<void>
  /** Leaves a peer alone: a person hung up. */
  forget(peerId: string): void
  /** Tries all at once, whatever failed before. */
  retry(): void
  stop(): void
}

export interface FollowedInit {
  libp2p: Libp2p
  dialer: Pick<Dialer, 'reach'>
  network: NetworkInfo
  webrtc: WebRtcInfo
}

interface Peer {
  addrs: Multiaddr[]
  /** Known from the address, or once it has answered. */
  id?: string
  failures: number
  dialling?: Promise<void> | undefined
  timer?: ReturnType<typeof setTimeout>
}

export function createFollowed(init: FollowedInit): Followed {
  return new FollowedPeers(init)
}

class FollowedPeers implements Followed {
  readonly #init: FollowedInit
  /** By peer id, the one that was named last at the end. */
  readonly #peers = new Map<string, Peer>()
  readonly #stops: (() => void)[]

  constructor(init: FollowedInit) {
    this.#init = init
    const { libp2p, network, webrtc } = init
    libp2p.addEventListener('connection:close', ({ detail }) => {
      const id = detail.remotePeer.toString()
      for (const [key, peer] of this.#peers) if (key === id || peer.id === id) this.#tryAgain(peer)
    })
    this.#stops = [
      // What goes through the relay can go straight as soon as a page lends WebRTC.
      webrtc.watch(() => webrtc.state() === 'available' && this.retry()),
      network.watch((online) => online && this.retry()),
    ]
  }

  follow(hints: Multiaddr[]): void {
    for (const addrs of groupByPeer(hints)) this.reach(addrs).catch(ignore)
  }

  async reach(addrs: Multiaddr[]): Promise<void> {
    const id = keyOf(addrs)
    const known = this.#peers.get(id)
    const same = known !== undefined && String(known.addrs) === String(addrs)
    this.forget(id)
    const peer: Peer = same ? known : { addrs, failures: 0 }
    peer.failures = 0
    this.#peers.set(id, peer)
    for (const oldest of this.#peers.keys()) {
      if (this.#peers.size <= LIMITS.maxFollowedPeers) break
      this.forget(oldest)
    }
    await this.#try(peer)
  }

  forget(peerId: string): void {
    clearTimeout(this.#peers.get(peerId)?.timer)
    this.#peers.delete(peerId)
  }

  stop(): void {
    for (const stop of this.#stops) stop()
    for (const id of [...this.#peers.keys()]) this.forget(id)
  }

  retry(): void {
    for (const peer of this.#peers.values()) {
      peer.failures = 0
      this.#tryAgain(peer)
    }
  }

  #tryAgain(peer: Peer): void {
    this.#try(peer).catch(ignore)
  }

  async #try(peer: Peer): Promise<void> {
    clearTimeout(peer.timer)
    if (this.#wanted(peer)) await (peer.dialling ??= this.#dial(peer))
  }

  async #dial(peer: Peer): Promise<void> {
    try {
      const connection = await this.#init.dialer.reach(peer.addrs)
      peer.id = connection.remotePeer.toString()
      // Through the relay is better than not at all; the page that was to make it direct may have been frozen.
      if (isDirect(connection.remoteAddr)) peer.failures = 0
      else peer.failures++
    } catch (error) {
      peer.failures++
      throw error
    } finally {
      peer.dialling = undefined
      this.#later(peer)
    }
  }

  #later(peer: Peer): void {
    // It may have been lost meanwhile.
    if (!this.#wanted(peer)) return
    if (this.#connected(peer) && this.#init.webrtc.state() !== 'available') return
    if (peer.failures < LIMITS.followAttempts) {
      peer.timer = setTimeout(() => this.#tryAgain(peer), 500 * 2 ** peer.failures)
    }
  }

  #wanted(peer: Peer): boolean {
    return [...this.#peers.values()].includes(peer) && !this.#connections(peer).some((addr) => isDirect(addr))
  }

  #connected(peer: Peer): boolean {
    return this.#connections(peer).length > 0
  }

  #connections({ addrs, id = addrs[0] && peerOf(addrs[0])?.toString() }: Peer): Multiaddr[] {
    if (id === undefined) return []
    return this.#init.libp2p.getConnections(parsePeerId(id)).map((connection) => connection.remoteAddr)
  }
}

/** Addresses that end at the same peer together; one that names none stands for itself. */
export function groupByPeer(addrs: Multiaddr[]): Multiaddr[][] {
  return [...Map.groupBy(addrs, (addr) => keyOf([addr])).values()]
}

function keyOf([addr]: Multiaddr[]): string {
  return (addr && peerOf(addr)?.toString()) ?? String(addr)
}

function ignore(): void {
  // It is tried again, or given up.
}
