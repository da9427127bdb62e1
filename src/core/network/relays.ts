import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { RelayStatus } from '../../contract/node-api.ts'
import { PocketError, toPocketError, toWireError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { NetworkInfo } from '../ports.ts'
import { endpoint, type AddressPolicy } from './address-policy.ts'
import type { NetworkServices } from './libp2p.ts'
import { peerOf } from './peers.ts'
import type { KnownRelay } from './relay-list.ts'

/** After so many failures in a row, some five seconds, another relay is called as well. */
const SPARE_AFTER = 3

/** Keeps this node reachable through each relay it was given: connect, reserve, and again after every drop. */
export interface Relays {
  set(known: KnownRelay[]): void
  /** Keeps a reservation at the first so many that answer; the others rest. */
  hold(count: number): void
  /** Calls all that are held at once, however long they were to wait. */
  retry(): void
  list(): RelayStatus[]
  stop(): void
}

export interface RelaysInit {
  libp2p: Libp2p<NetworkServices>
  policy: AddressPolicy
  network: NetworkInfo
  onChange(): void
  /** See `hold`. Default: all. */
  held?: number
}

export function createRelays(init: RelaysInit): Relays {
  return new RelayKeeper(init)
}

interface Relay {
  addr: Multiaddr
  peer?: PeerId
  status: RelayStatus
  failures: number
  timer?: ReturnType<typeof setTimeout>
  running: boolean
}

class RelayKeeper implements Relays {
  readonly #init: RelaysInit
  readonly #relays = new Map<string, Relay>()
  readonly #stopWatching: () => void
  #stopped = false
  #count: number

  constructor(init: RelaysInit) {
    this.#init = init
    this.#count = init.held ?? Infinity
    const { libp2p, network } = init
    libp2p.services.relayListener.onRemoved((peer) => this.#lost(peer))
    libp2p.addEventListener('peer:disconnect', ({ detail }) => this.#lost(detail))
    this.#stopWatching = network.watch((online) => {
      if (online) this.retry()
    })
  }

  set(known: KnownRelay[]): void {
    const wanted = new Map(known.map((each) => [each.addr.toString(), each]))
    for (const [key, relay] of this.#relays) {
      if (wanted.has(key)) continue
      clearTimeout(relay.timer)
      this.#relays.delete(key)
      // Closing the connection is what gives the reservation back.
      if (relay.peer !== undefined) void this.#init.libp2p.hangUp(relay.peer).catch(() => undefined)
    }
    for (const [key, { addr, origin }] of wanted) {
      const held = this.#relays.get(key)
      if (held !== undefined) {
        held.status = { ...held.status, origin }
        continue
      }
      const relay: Relay = {
        addr,
        status: { addr: key, origin, state: 'resting' },
        failures: 0,
        running: false,
      }
      this.#relays.set(key, relay)
      this.#init.policy.intend(addr)
    }
    this.#share()
    this.#init.onChange()
  }

  hold(count: number): void {
    this.#count = count
    this.#share()
    this.#init.onChange()
  }

  retry(): void {
    for (const relay of this.#relays.values()) if (relay.status.state !== 'resting') this.#schedule(relay, 0)
  }

  list(): RelayStatus[] {
    return [...this.#relays.values()].map((relay) => relay.status)
  }

  stop(): void {
    this.#stopped = true
    this.#stopWatching()
    for (const relay of this.#relays.values()) clearTimeout(relay.timer)
  }

  /** Who is held and who rests, in their order. One that has failed often keeps its place, and gives it to the next as well. */
  #share(): void {
    let left = this.#count
    for (const relay of this.#relays.values()) {
      const { state } = relay.status
      if (left <= 0 && state !== 'resting') this.#rest(relay)
      else if (left > 0 && state === 'resting') {
        this.#update(relay, { state: 'connecting' })
        this.#schedule(relay, 0)
      }
      if (relay.failures < SPARE_AFTER) left--
    }
  }

  #rest(relay: Relay): void {
    clearTimeout(relay.timer)
    relay.failures = 0
    this.#update(relay, { state: 'resting' })
    if (relay.peer !== undefined) void this.#init.libp2p.hangUp(relay.peer).catch(() => undefined)
  }

  #lost(peer: PeerId): void {
    for (const relay of this.#relays.values()) {
      if (relay.peer?.equals(peer) !== true || relay.running || relay.status.state === 'resting') continue
      this.#update(relay, { state: 'connecting' })
      this.#schedule(relay, 0)
    }
  }

  #schedule(relay: Relay, delay: number): void {
    clearTimeout(relay.timer)
    if (this.#stopped || relay.running || !this.#relays.has(relay.status.addr)) return
    relay.timer = setTimeout(() => void this.#connect(relay), delay)
  }

  async #connect(relay: Relay): Promise<void> {
    if (relay.running || this.#stopped) return
    relay.running = true
    const { libp2p, network } = this.#init
    // It may be told to rest at any moment.
    const rests = (): boolean => relay.status.state === 'resting'
    try {
      if (!network.online()) throw new PocketError('ERR_OFFLINE')
      const signal = AbortSignal.timeout(LIMITS.dialTimeoutMs)
      // libp2p gives a connection that the peer has already, whatever the address: this one may lead nowhere.
      const connection = await libp2p.dial(relay.addr, { signal, force: !this.#isOpen(relay) })
      relay.peer = connection.remotePeer
      if (rests()) return this.#rest(relay)
      if (relay.status.state !== 'reserved') this.#update(relay, { state: 'connected' })
      const listener = libp2p.services.relayListener
      if (!listener.has(relay.peer)) await listener.reserve(relay.peer, relay.addr)
      if (rests()) return this.#rest(relay)
      const wasSpared = relay.failures >= SPARE_AFTER
      relay.failures = 0
      this.#update(relay, { state: 'reserved' })
      if (wasSpared) this.#share()
    } catch (error) {
      relay.failures++
      const coded = toPocketError(error, 'ERR_RELAY_UNREACHABLE')
      const wire = toWireError(
        coded.code === 'ERR_OFFLINE' ? coded : new PocketError('ERR_RELAY_UNREACHABLE', undefined, { cause: error }),
      )
      if (!rests()) this.#update(relay, { state: 'failed', error: wire })
      if (relay.failures === SPARE_AFTER) this.#share()
    } finally {
      relay.running = false
    }
    if (relay.status.state === 'failed') this.#schedule(relay, backOff(relay.failures))
    // It may have dropped while `running` kept #lost from acting.
    else if (relay.peer !== undefined && !libp2p.services.relayListener.has(relay.peer)) this.#lost(relay.peer)
  }

  /** Whether the address is in use: the host and port of a connection to its peer. */
  #isOpen({ addr, peer = peerOf(addr) }: Relay): boolean {
    return (
      peer !== undefined &&
      this.#init.libp2p.getConnections(peer).some(({ remoteAddr }) => endpoint(remoteAddr) === endpoint(addr))
    )
  }

  #update(relay: Relay, change: Pick<RelayStatus, 'state' | 'error'>): void {
    const { addr, origin } = relay.status
    relay.status = { addr, origin, ...change }
    this.#init.onChange()
  }
}

/**
 * 1, 2, 4 s, then 4 s for half a minute: a relay that is started anew is back by then, and somebody may be waiting. After
 * that 8 … 60 s. Each is shortened by up to half so that phones do not return in one wave.
 */
function backOff(failures: number): number {
  const doublings = failures <= 3 ? failures - 1 : Math.max(2, failures - 8)
  return Math.min(LIMITS.maxRelayPauseMs, 1000 * 2 ** doublings) * (0.5 + Math.random() / 2)
}
