import { BlockList, isIP, isIPv4 } from 'node:net'
import { hostname } from 'node:os'

/** DNS names and IP addresses that a certificate speaks for. */
export interface CertificateNames {
  dns: string[]
  ip: string[]
}

/** Names of this machine: what phones may have in the address bar. `extra` is the name asked for, if any. */
export function machineNames(lan: readonly string[], extra: string, machine: string = hostname()): CertificateNames {
  const own = machine.toLowerCase()
  const dns = ['localhost']
  if (isDnsName(own)) dns.push(own, ...(own.includes('.') ? [] : [`${own}.local`]))
  const ip = ['127.0.0.1', '::1', ...lan]
  if (extra !== '') (isIP(extra) === 0 ? dns : ip).push(extra.toLowerCase())
  return { dns: [...new Set(dns)], ip: [...new Set(ip)] }
}

/**
 * What the authority may ever speak for: this machine's names, `.local` names and addresses that are private by standard. Were
 * its key stolen, it could still not pass for a bank. Ranges: RFC 1918, 3927, 6598, 4193, loopback.
 */
export const PRIVATE_RANGES: readonly string[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
]

export const PRIVATE_DOMAINS: readonly string[] = ['localhost', 'local']

/** What `permitted` allows of `names`: domains with all below them, ranges as `10.0.0.0/8`. */
export function within(permitted: CertificateNames, names: CertificateNames): CertificateNames {
  const ranges = new BlockList()
  for (const range of permitted.ip) {
    const [address = '', length = ''] = range.split('/')
    ranges.addSubnet(address, Number(length), family(address))
  }
  return {
    dns: names.dns.filter((name) => permitted.dns.some((domain) => name === domain || name.endsWith(`.${domain}`))),
    ip: names.ip.filter((address) => ranges.check(address, family(address))),
  }
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6'
}

function isDnsName(name: string): boolean {
  return isIP(name) === 0 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(name)
}
