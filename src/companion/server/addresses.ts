import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { multiaddr } from '@multiformats/multiaddr'
import type { NetworkInterfaceInfo } from 'node:os'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { CompanionConfig } from '../config.ts'

/** Where the companion can be dialled, without peer id. */
export interface Addresses {
  /** From this machine alone. */
  local: Multiaddr[]
  /** From elsewhere, best first. */
  network: Multiaddr[]
}

export interface AddressesInit {
  config: Pick<CompanionConfig, 'announce' | 'localAuthority' | 'localName'>
  /** Hosts and port really listened on. */
  hosts: readonly string[]
  port: number
  /** Addresses of this machine on its networks; asked only where they are told to somebody. */
  lan: () => readonly string[]
}

export function companionAddresses({ config, hosts, port, lan }: AddressesInit): Addresses {
  if (config.announce.length > 0) return { local: [], network: config.announce.map((address) => multiaddr(address)) }
  const tail = `/tcp/${port}${config.localAuthority ? '/tls' : ''}/ws`
  const everywhere = hosts.some((host) => host === '0.0.0.0' || host === '::')
  const named = config.localAuthority && config.localName !== '' ? [config.localName] : []
  const others = everywhere ? lan() : hosts.filter((host) => !isLoopbackHost(host))
  const loopback = everywhere ? ['127.0.0.1'] : hosts.filter(isLoopbackHost)
  return {
    // One is enough: what is told to phones should be short. Plain, also with TLS: browsers trust this machine itself.
    local: loopback.slice(0, 1).map((host) => multiaddr(`${hostPart(host)}/tcp/${port}/ws`)),
    network: [...new Set([...named, ...others])].map((host) => multiaddr(`${hostPart(host)}${tail}`)),
  }
}

/**
 * Addresses of this machine on its networks, the likeliest for a phone first. IPv6 ones only where there is no IPv4: they
 * change daily (RFC 8981), and a link with one is long.
 */
export function lanAddresses(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces()): string[] {
  const usable = Object.entries(interfaces)
    .flatMap(([name, infos]) => (infos ?? []).map((info) => ({ name, ...info })))
    .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address))
  const v4 = usable.filter(({ family }) => family === 'IPv4')
  return (v4.length > 0 ? v4 : usable)
    .sort((a, b) => rank(a.name, a.address) - rank(b.name, b.address))
    .map(({ address }) => address)
}

/** Bridges of containers and virtual machines, tunnels: real addresses, but no phone is behind them. */
const VIRTUAL = /^(docker|br-|veth|virbr|vmnet|vboxnet|utun|tun|tap|wg|zt|tailscale|cni|flannel|podman|lxc|vEthernet)/i
/** What home and hotspot routers give out (RFC 1918). */
const HOME = /^(192\.168\.|10\.|172\.(1[6-9]|2\d|3[01])\.)/

function rank(name: string, address: string): number {
  return (VIRTUAL.test(name) ? 2 : 0) + (HOME.test(address) ? 0 : 1)
}

function hostPart(host: string): string {
  const version = isIP(host)
  return version === 4 ? `/ip4/${host}` : version === 6 ? `/ip6/${host}` : `/dns4/${host}`
}

function isLoopbackHost(host: string): boolean {
  return host === '::1' || host.startsWith('127.')
}
