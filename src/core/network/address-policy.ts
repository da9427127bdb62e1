import { isPrivate } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import { LIMITS } from '../../shared/limits.ts'

/**
 * Which addresses may be dialled. Private and loopback addresses are dialled only where a person pointed at them (a
 * relay in the settings, a link, an explicit dial): peers announce their 192.168.… addresses to everyone, and each such
 * dial would make Chrome ask for Local Network Access, and would probe the networks of strangers.
 */
export interface AddressPolicy {
  /** Remembers that a person asked for this address; its host and port may be dialled from now on. */
  intend(addr: Multiaddr): void
  denies(addr: Multiaddr): boolean
}

export function createAddressPolicy(): AddressPolicy {
  /** Last intended, last in the order of the Set. */
  const intended = new Set<string>()
  return {
    intend(addr) {
      if (!isLocal(addr)) return
      intended.delete(endpoint(addr))
      intended.add(endpoint(addr))
      for (const oldest of intended) {
        if (intended.size <= LIMITS.maxIntendedAddrs) break
        intended.delete(oldest)
      }
    },
    denies: (addr) => isLocal(addr) && !intended.has(endpoint(addr)),
  }
}

/** Host and port: `/ip4/192.168.1.2/tcp/8080` of `/ip4/192.168.1.2/tcp/8080/ws/p2p/…/p2p-circuit/…`. */
export function endpoint(addr: Multiaddr): string {
  return addr
    .getComponents()
    .slice(0, 2)
    .map(({ name, value }) => `/${name}/${value ?? ''}`)
    .join('')
}

function isLocal(addr: Multiaddr): boolean {
  const [host] = addr.getComponents()
  if (host === undefined) return true
  if (host.name.startsWith('dns')) return /^localhost$|\.localhost$|\.local$/.test(host.value ?? '')
  if (host.name !== 'ip4' && host.name !== 'ip6') return false
  return isPrivate(addr)
}
