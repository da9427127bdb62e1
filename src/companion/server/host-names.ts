import { multiaddr } from '@multiformats/multiaddr'
import type { CompanionConfig } from '../config.ts'

/** Names and addresses under which phones call this companion, as they stand in a URL. */
export function hostNames(
  config: Pick<CompanionConfig, 'announce' | 'localName' | 'hostNames' | 'hosts'>,
  lan: readonly string[],
): string[] {
  const announced = config.announce.map((address) => multiaddr(address).getComponents()[0]?.value ?? '')
  const named = [...config.hostNames, ...announced, config.localName, ...lan, ...config.hosts]
  return ['localhost', '127.0.0.1', '[::1]', ...named.filter((name) => name !== '').map(inUrl)]
}

/** What push services are told when nothing else is configured: where this companion can be found. */
export function publicUrl(config: Pick<CompanionConfig, 'announce' | 'localName' | 'hostNames'>): string {
  return `https://${hostNames({ ...config, hosts: [] }, [])[3] ?? 'localhost'}/`
}

function inUrl(name: string): string {
  return name.includes(':') ? `[${name.toLowerCase()}]` : name.toLowerCase()
}
