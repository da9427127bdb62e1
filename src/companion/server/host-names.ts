import { multiaddr } from '@multiformats/multiaddr'
import { isLoopback } from './client-address.ts'
import type { CompanionConfig } from '../config.ts'

/** What names no machine. */
const EVERYWHERE = ['', '0.0.0.0', '::']

/** What everybody has. */
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/**
 * Names and addresses under which phones call this companion, as they stand in a URL. Those that other machines have too
 * are its own only where no other can be meant: loopback on this machine itself (`near`), addresses of a local network
 * while nothing public is announced.
 */
export function hostNames(
  config: Pick<CompanionConfig, 'announce' | 'localName' | 'hostNames' | 'hosts'>,
  lan: () => readonly string[],
  near: boolean,
): string[] {
  const addresses = config.announce.length > 0 ? [] : [...lan(), ...config.hosts.filter((host) => !isLoopback(host))]
  const real = addresses.filter((name) => !EVERYWHERE.includes(name)).map(inUrl)
  const loopback = near ? [...LOOPBACK, ...config.hosts.filter(isLoopback).map(inUrl)] : []
  return [...new Set([...ownNames(config), ...real, ...loopback])]
}

/** What push services are told when nothing else is configured: where this companion can be found. */
export function publicUrl(config: Pick<CompanionConfig, 'announce' | 'localName' | 'hostNames'>): string {
  return `https://${ownNames(config)[0] ?? 'localhost'}/`
}

function ownNames(config: Pick<CompanionConfig, 'announce' | 'localName' | 'hostNames'>): string[] {
  const announced = config.announce.map((address) => multiaddr(address).getComponents()[0]?.value ?? '')
  return [...config.hostNames, ...announced, config.localName].filter((name) => !EVERYWHERE.includes(name)).map(inUrl)
}

function inUrl(name: string): string {
  return name.includes(':') ? `[${name.toLowerCase()}]` : name.toLowerCase()
}
