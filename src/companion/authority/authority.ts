import { X509Certificate, randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { PocketError } from '../../shared/errors.ts'
import { readPrivateFile, replacePrivateFile } from '../private-file.ts'
import { createAuthority, createServerCertificate } from './certificates.ts'
import { PRIVATE_DOMAINS, PRIVATE_RANGES, machineNames, within } from './names.ts'
import type { KeyedCertificate } from './certificates.ts'
import type { CertificateNames } from './names.ts'

/**
 * The certificate authority of one data folder, for phones on the local network: browsers give service workers, camera and
 * storage to https alone, and nobody issues certificates for 192.168.1.5.
 */
export interface LocalAuthority {
  /** The authority's certificate, PEM. */
  readonly certificate: string
  /** SHA-256 of it, as phones show it: pairs of hex digits with colons. */
  readonly fingerprint: string
  readonly name: string
  /** Whether phones must be told to trust it: it is new, or replaces one that did not cover the name asked for. */
  readonly isNew: boolean
  /** Key and certificate chain for the TLS server, PEM; renewed if addresses changed or the end is near. */
  server(lan: readonly string[]): Promise<KeyedCertificate>
}

/** Files in the data folder, readable by the owner alone. Key and certificate are one file: they cannot be of two ages. */
const AUTHORITY_FILE = 'authority.json'
const SERVER_FILE = 'server-certificate.json'

const DAY = 86_400_000
/** Renewed before phones begin to see the end. A new server certificate needs no new trust. */
const RENEW_DAYS = 30

interface Stored extends KeyedCertificate {
  version: 1
  /** An authority's permitted domains and ranges, or a server's names. */
  names: CertificateNames
}

export interface OpenAuthorityOptions {
  /** Name or address that links will have (`localName` of the configuration), or empty. */
  name: string
  /** This machine's addresses now. */
  lan: readonly string[]
}

export async function openAuthority(dataDir: string, { name, lan }: OpenAuthorityOptions): Promise<LocalAuthority> {
  const path = join(dataDir, AUTHORITY_FILE)
  const stored = await readStored(path)
  const needed = indispensable(name, lan)
  const fits = stored !== undefined && daysLeft(stored.cert) > RENEW_DAYS && coversAll(stored.names, needed)
  const authority = fits ? stored : await makeAuthority(path, needed)
  const { fingerprint256, subject, raw } = new X509Certificate(authority.cert)
  return {
    certificate: authority.cert,
    fingerprint: fingerprint256,
    name: subject.replace(/^CN=/, ''),
    isNew: !fits,
    server: (addresses) => serverCertificate(join(dataDir, SERVER_FILE), authority, raw, machineNames(addresses, name)),
  }
}

/** What links will have. The machine's own name is not in it: it changes with the network, and trust must outlive that. */
function indispensable(name: string, lan: readonly string[]): CertificateNames {
  const named = isIP(name) === 0 ? { dns: name === '' ? [] : [name.toLowerCase()], ip: [] } : { dns: [], ip: [name] }
  // Some networks give out public addresses: then, and only then, the authority must be able to speak for those.
  const isPrivate = within({ dns: [], ip: [...PRIVATE_RANGES] }, { dns: [], ip: [...lan] }).ip.length > 0
  return isPrivate || name !== '' ? named : { dns: named.dns, ip: [...lan] }
}

async function makeAuthority(path: string, needed: CertificateNames): Promise<Stored> {
  const names = {
    dns: [...new Set([...PRIVATE_DOMAINS, ...machineNames([], '').dns, ...needed.dns])],
    ip: [...PRIVATE_RANGES, ...needed.ip.map(toRange)],
  }
  // Two authorities of one name and different keys confuse a phone that has both.
  const label = `Pocket IPFS on ${hostname().slice(0, 32)} ${randomBytes(2).toString('hex')}`
  const made: Stored = { version: 1, names, ...(await createAuthority(label, names)) }
  await replacePrivateFile(path, JSON.stringify(made, undefined, 2))
  return made
}

async function serverCertificate(
  path: string,
  authority: Stored,
  authorityRaw: Buffer,
  wanted: CertificateNames,
): Promise<KeyedCertificate> {
  const names = within(authority.names, wanted)
  const issuer = new X509Certificate(authorityRaw)
  const stored = await readStored(path)
  const usable =
    stored !== undefined &&
    daysLeft(stored.cert) > RENEW_DAYS &&
    coversAll({ dns: stored.names.dns, ip: stored.names.ip.map(toRange) }, names) &&
    new X509Certificate(stored.cert).verify(issuer.publicKey)
  if (usable) return chain(stored, authority)
  const made: Stored = { version: 1, names, ...(await createServerCertificate(authority, names)) }
  await replacePrivateFile(path, JSON.stringify(made, undefined, 2))
  return chain(made, authority)
}

/** With the authority's own: a phone that is about to trust it shows it by name. */
function chain(server: Stored, authority: Stored): KeyedCertificate {
  return { key: server.key, cert: `${server.cert.trim()}\n${authority.cert.trim()}\n` }
}

function coversAll(permitted: CertificateNames, names: CertificateNames): boolean {
  const allowed = within(permitted, names)
  return allowed.dns.length === names.dns.length && allowed.ip.length === names.ip.length
}

function toRange(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`
}

function daysLeft(cert: string): number {
  return (Date.parse(new X509Certificate(cert).validTo) - Date.now()) / DAY
}

async function readStored(path: string): Promise<Stored | undefined> {
  const content = await readPrivateFile(path)
  if (content === undefined) return undefined
  try {
    const { version, key, cert, names } = JSON.parse(content) as Stored
    const whole = [key, cert].every((pem) => typeof pem === 'string') && [names.dns, names.ip].every(Array.isArray)
    if (version === 1 && whole && daysLeft(cert) !== undefined) return { version, key, cert, names }
  } catch {
    // told below, without the content
  }
  throw new PocketError('ERR_INVALID_ARGUMENT', `${path} is damaged. Move it away to have a new one made.`)
}
