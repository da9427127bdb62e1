import type { PeerId } from '@libp2p/interface'
import type { TransportManager } from '@libp2p/interface-internal'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'

/**
 * The door to libp2p's circuit-relay listener, which its public interface opens at start only. Here a reservation can be
 * made, and made again after a drop, when a relay is there: listening on an unreachable relay at start is refused for
 * good, and a lost configured reservation is never renewed (libp2p/js-libp2p#3601, #2833). It can go when they are
 * solved upstream.
 */
export interface RelayListener {
  /** Makes or renews the reservation at a relay that is connected. */
  reserve(relay: PeerId, addr: Multiaddr): Promise<void>
  has(relay: PeerId): boolean
  /** Called with a relay whose reservation is gone. */
  onRemoved(listener: (relay: PeerId) => void): void
}

/** What of @libp2p/circuit-relay-v2's transport is used (its class is not exported). */
interface CircuitTransport {
  readonly reservationStore: {
    addRelay(relay: PeerId, type: 'configured'): Promise<unknown>
    hasReservation(relay: PeerId): boolean
    addEventListener(type: 'relay:removed', listener: (event: CustomEvent<{ relay: PeerId }>) => void): void
  }
}

export function relayListener(): (components: { transportManager: TransportManager }) => RelayListener {
  return ({ transportManager }) => {
    const listening = new Set<string>()
    const store = (): CircuitTransport['reservationStore'] => {
      const transport = transportManager
        .getTransports()
        .find((candidate) => candidate[Symbol.toStringTag] === '@libp2p/circuit-relay-v2-transport')
      return (transport as unknown as CircuitTransport).reservationStore
    }
    return {
      has: (relay) => store().hasReservation(relay),
      onRemoved: (listener) => store().addEventListener('relay:removed', ({ detail }) => listener(detail.relay)),
      async reserve(relay, addr) {
        const id = relay.toString()
        // A second listener for one relay would announce each address twice: renew the first one's reservation.
        if (listening.has(id)) {
          await store().addRelay(relay, 'configured')
          return
        }
        const base = addr.toString().replace(/\/p2p\/[^/]+$/, '')
        await transportManager.listen([multiaddr(`${base}/p2p/${id}/p2p-circuit`)])
        listening.add(id)
      },
    }
  }
}
