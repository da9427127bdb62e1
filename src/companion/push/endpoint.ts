import { lookup } from 'node:dns'
import { BlockList, isIP } from 'node:net'
import { PocketError } from '../../shared/errors.ts'
import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'

/**
 * Phones say where the companion is to send requests. So that nobody uses it to knock at what only it can reach, push
 * services are https at its usual port on public addresses, and names are looked at again when they are dialled, since
 * they may change (DNS rebinding).
 */

/** What is not the public internet: IANA's registries of special-purpose addresses (RFC 6890), with those that embed IPv4 addresses. */
const SPECIAL: readonly [network: string, prefix: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]

const special = new BlockList()
for (const [network, prefix] of SPECIAL) special.addSubnet(network, prefix, 'ipv4')

const globalV6 = new BlockList()
globalV6.addSubnet('2000::', 3, 'ipv6')
const embedding = new BlockList()
// Teredo, ORCHID and documentation; 6to4.
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  embedding.addSubnet(network, prefix, 'ipv6')
}

/** Whether it is an address of the public internet. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address)
  if (version === 4) return !special.check(address, 'ipv4')
  return version === 6 && globalV6.check(address, 'ipv6') && !embedding.check(address, 'ipv6')
}

/** The endpoint as a URL. @throws PocketError ERR_INVALID_ARGUMENT */
export function checkEndpoint(endpoint: string, allowPrivate: boolean): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '')
    throw refused('is no plain URL')
  if (allowPrivate && (url.protocol === 'http:' || url.protocol === 'https:')) return url
  if (url.protocol !== 'https:' || url.port !== '') throw refused('is not https at its usual port')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 ? !isPublicAddress(host) : !/\.[a-z][a-z0-9-]*$/i.test(host)) {
    throw refused('is not on the public internet')
  }
  return url
}

/** The system's look-up, without what is not public. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    if (error !== null) return callback(error, '')
    const [first, ...others] = found.filter(({ address }) => isPublicAddress(address))
    if (first === undefined) {
      return callback(Object.assign(new Error(`${hostname} is not on the public internet`), { code: 'EACCES' }), '')
    }
    if (options.all === true) callback(null, [first, ...others])
    else callback(null, first.address, first.family)
  })
}

function refused(why: string): PocketError {
  return new PocketError('ERR_INVALID_ARGUMENT', `The endpoint of the subscription ${why}.`)
}
