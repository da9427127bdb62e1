import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { PocketError, toPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { NetworkInfo, WebRtcInfo } from '../ports.ts'
import type { AddressPolicy } from './address-policy.ts'
import { isDirect, parsePeerId, peerOf } from './peers.ts'
import { parseMultiaddr } from './multiaddr.ts'

/** Dials what a person named, the straight way first. */
export interface Dialer {
  /**
   * A multiaddr, or the id of a peer whose addresses are known.
   * @throws PocketError ERR_INVALID_MULTIADDR, ERR_INVALID_PEER_ID, ERR_OFFLINE, ERR_NETWORK_START, ERR_DATA_CAP,
   * ERR_SAVING_DATA, ERR_DIAL_FAILED, ERR_CERTIFICATE_REFUSED, ERR_NO_WEBRTC, ERR_TIMEOUT, ERR_ABORTED
   */
  dial(target: string, options?: { signal?: AbortSignal }): Promise<Connection>
  /** Dials addresses of one peer, the first that works is enough. Rejects as `dial` does. */
  reach(addrs: Multiaddr[]): Promise<Connection>
}

export interface DialerInit {
  libp2p: Libp2p
  policy: AddressPolicy
  network: NetworkInfo
  webrtc: WebRtcInfo
  /** Resolves when the network of the node is up. */
  up: () => Promise<void>
  /** Why nothing may be dialled, while `network` says that there is none. */
  blocked: () => PocketError | undefined
}

export function createDialer({ libp2p, policy, network, webrtc, up, blocked }: DialerInit): Dialer {
  async function open(addrs: Multiaddr[], signal: AbortSignal | undefined): Promise<Connection> {
    await up()
    const [first] = addrs
    if (first === undefined) throw new PocketError('ERR_DIAL_FAILED', 'No address to dial')
    const peer = peerOf(first)
    if (peer !== undefined) {
      const direct = libp2p.getConnections(peer).find((connection) => isDirect(connection.remoteAddr))
      if (direct !== undefined) return direct
    }
    if (!network.online()) throw blocked() ?? new PocketError('ERR_OFFLINE')
    for (const addr of addrs) policy.intend(addr)
    if (addrs.some((addr) => needsWebRtc(addr))) await untilLent(webrtc, signal)
    if (addrs.every((addr) => isWebRtc(addr)) && webrtc.state() !== 'available') throw new PocketError('ERR_NO_WEBRTC')
    let failure: unknown
    for (const group of inOrder(addrs, webrtc.state() === 'available')) {
      // What is relayed already stays so: dialled again, it would be a second circuit.
      const [relayed] = peer === undefined || group.every(isDirect) ? [] : libp2p.getConnections(peer)
      if (relayed !== undefined) return relayed
      try {
        return await libp2p.dial(group, {
          signal: within(signal, LIMITS.dialTimeoutMs),
          // A relayed connection at hand must not stop a direct one from being made.
          force: peer !== undefined && group.every(isDirect),
        })
      } catch (error) {
        signal?.throwIfAborted()
        failure ??= error
      }
    }
    throw dialError(failure, first)
  }

  return {
    async dial(target, { signal } = {}) {
      signal?.throwIfAborted()
      if (target.startsWith('/')) return open([parseMultiaddr(target)], signal)
      return openPeer(parsePeerId(target), signal)
    },
    reach: (addrs) => open(addrs, undefined),
  }

  async function openPeer(peer: PeerId, signal: AbortSignal | undefined): Promise<Connection> {
    await up()
    const [connection] = libp2p.getConnections(peer)
    if (connection !== undefined) return connection
    if (!network.online()) throw blocked() ?? new PocketError('ERR_OFFLINE')
    try {
      return await libp2p.dial(peer, { signal: within(signal, LIMITS.dialTimeoutMs) })
    } catch (error) {
      signal?.throwIfAborted()
      throw dialError(error)
    }
  }
}

/**
 * Groups of addresses to dial one after the other: for a relayed address the WebRTC one made from it first, so that
 * bytes pass no relay where they need not; then the address itself.
 */
function inOrder(addrs: Multiaddr[], webrtc: boolean): Multiaddr[][] {
  const direct: Multiaddr[] = []
  const relayed: Multiaddr[] = []
  for (const addr of addrs) {
    if (isDirect(addr)) {
      direct.push(addr)
      continue
    }
    if (webrtc) direct.push(multiaddr(addr.toString().replace(/\/p2p-circuit(?=\/|$)/, '/p2p-circuit/webrtc')))
    relayed.push(addr)
  }
  return [direct, relayed].filter((group) => group.length > 0)
}

/** A relayed address is a WebRTC one in the making. */
function needsWebRtc(addr: Multiaddr): boolean {
  return isWebRtc(addr) || addr.getComponents().some(({ name }) => name === 'p2p-circuit')
}

function isWebRtc(addr: Multiaddr): boolean {
  return addr.getComponents().some(({ name }) => name === 'webrtc')
}

/**
 * A page that has just opened lends WebRTC a moment after its first call, and another page takes over a moment after the
 * one that lent it is gone: to dial without it meanwhile would leave the connection at the relay.
 */
async function untilLent(webrtc: WebRtcInfo, signal: AbortSignal | undefined): Promise<void> {
  if (webrtc.state() !== 'no-page') return
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = webrtc.watch(() => webrtc.state() !== 'no-page' && resolve())
  const timer = setTimeout(resolve, LIMITS.lenderWaitMs)
  const abort = (): void => resolve()
  signal?.addEventListener('abort', abort)
  await promise
  stop()
  clearTimeout(timer)
  signal?.removeEventListener('abort', abort)
  signal?.throwIfAborted()
}

function within(signal: AbortSignal | undefined, ms: number): AbortSignal {
  const timeout = AbortSignal.timeout(ms)
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout])
}

function dialError(error: unknown, addr?: Multiaddr): PocketError {
  const coded = toPocketError(error, 'ERR_DIAL_FAILED')
  const detail = addr === undefined ? {} : { detail: { addr: addr.toString() } }
  if (coded.code === 'ERR_TIMEOUT') return new PocketError('ERR_TIMEOUT', undefined, { cause: error, ...detail })
  // Browsers do not say why a TLS or QUIC hand-shake failed; a peer that answers a dial with such a failure at once
  // is most often one whose certificate (hash) is not, or no longer, the one in its address.
  const certified = addr?.getComponents().some(({ name }) => name === 'certhash') === true
  if (certified && /handshake|certhash|certificate/i.test(messages(error))) {
    return new PocketError('ERR_CERTIFICATE_REFUSED', undefined, { cause: error, ...detail })
  }
  return new PocketError('ERR_DIAL_FAILED', undefined, { cause: error, ...detail })
}

function messages(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messages).join('\n')
  return error instanceof Error ? `${error.message}\n${messages(error.cause)}` : ''
}
