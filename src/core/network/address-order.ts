import type { Address } from '@libp2p/interface'
import { circuitRelayAddressesLast, loopbackAddressLast, publicAddressesFirst } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'

/**
 * In which order the addresses of a peer are dialled: libp2p's own order, and among what is equal there the transport
 * that the profile wants first.
 */
export function addressOrder(first: () => 'webtransport' | 'websocket'): (a: Address, b: Address) => -1 | 0 | 1 {
  return ({ multiaddr: a }, { multiaddr: b }) =>
    loopbackAddressLast(a, b) ||
    publicAddressesFirst(a, b) ||
    circuitRelayAddressesLast(a, b) ||
    compare(isOf(b, first()), isOf(a, first()))
}

const compare = (a: boolean, b: boolean): -1 | 0 | 1 => (a === b ? 0 : a ? 1 : -1)

function isOf(addr: Multiaddr, transport: 'webtransport' | 'websocket'): boolean {
  const names = addr.getComponents().map(({ name }) => name)
  return transport === 'webtransport' ? names.includes('webtransport') : names.includes('ws') || names.includes('wss')
}
