import { multiaddr } from '@multiformats/multiaddr'
import type { CompanionConfig } from '../config.ts'

/** What names no machine. */
const EVERYWHERE = ['', '0.0.0.0', '::']

/** Names and addresses under which phones call this companion, as they stand in a URL. */
export function hostNames(
  config: Pick<CompanionConfig, 'announce' | 'localName' | 'hostNames' | 'hosts'>,
  lan: readonly string[],
): string[] {
  const announced = config.announce.map((address) => multiaddr(address).getComponents()[0]?.value ?? '')
  const named = [...config.hostNames, ...announced, config.localName, ...lan, ...config.hosts]
  const real = named.filter((name) => !EVERYWHERE.includes(name)).map(inUrl)
  return [...new Set(['localhost', '127.0.0.1', '[::1]', ...real])]
}

/** What push services are told when nothing else is configured: where this companion can be found. */
export function publicUrl(config: Pick<CompanionConfig, 'announce' | 'localName' | 'hostNames'>): string {
  return `https://${hostNames({ ...config, hosts: [] }, [])[3] ?? 'localhost'}/`
}

function inUrl(name: string): string {
  return name.includes(':') ? `[${name.toLowerCase()}]` : name.toLowerCase()
}
