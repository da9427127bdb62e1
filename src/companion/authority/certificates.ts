// @peculiar/x509 needs it before its own first line.
import 'reflect-metadata'
import { AsnConvert } from '@peculiar/asn1-schema'
import { GeneralName, GeneralSubtree, GeneralSubtrees, NameConstraints } from '@peculiar/asn1-x509'
import * as x509 from '@peculiar/x509'
import type { webcrypto } from 'node:crypto'
import type { CertificateNames } from './names.ts'

/** A certificate with its key, both PEM. */
export interface KeyedCertificate {
  key: string
  cert: string
}

const DAY = 86_400_000
/** ECDSA with P-256: every phone of the last ten years takes it, and a key is made in a millisecond. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
/** A phone whose clock is behind must not find the certificate unborn. */
const BACKDATE_DAYS = 1
/** Long enough not to ask people to trust it again, short enough to end before the laptop is sold. */
const AUTHORITY_DAYS = 5 * 365
/** Apple refuses more than 825 days of a private authority, browsers more than 398 of a public one. */
const SERVER_DAYS = 396

const { KeyUsageFlags: Usage } = x509

/** A self-signed authority that can only speak for `permitted` (name constraints, RFC 5280, 4.2.1.10). */
export async function createAuthority(commonName: string, permitted: CertificateNames): Promise<KeyedCertificate> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    ...validity(AUTHORITY_DAYS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(Usage.keyCertSign | Usage.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.Extension('2.5.29.30', true, AsnConvert.serialize(nameConstraints(permitted))),
    ],
  })
  return { key: await toPem(keys.privateKey), cert: certificate.toString('pem') }
}

export async function createServerCertificate(
  authority: KeyedCertificate,
  names: CertificateNames,
  { days = SERVER_DAYS }: { days?: number } = {},
): Promise<KeyedCertificate> {
  const issuer = new x509.X509Certificate(authority.cert)
  const signingKey = await crypto.subtle.importKey('pkcs8', fromPem(authority.key), ALGORITHM, false, ['sign'])
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    // No host name here: browsers read the alternative names, and some check a name here against the constraints.
    subject: [{ CN: ['Pocket IPFS companion'] }],
    issuer: issuer.subjectName,
    ...validity(days),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(Usage.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...names.dns.map((value) => ({ type: 'dns' as const, value })),
        ...names.ip.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return { key: await toPem(keys.privateKey), cert: certificate.toString('pem') }
}

function nameConstraints({ dns, ip }: CertificateNames): NameConstraints {
  const subtree = (base: GeneralName): GeneralSubtree => new GeneralSubtree({ base })
  return new NameConstraints({
    permittedSubtrees: new GeneralSubtrees([
      ...dns.map((dNSName) => subtree(new GeneralName({ dNSName }))),
      ...ip.map((iPAddress) => subtree(new GeneralName({ iPAddress }))),
    ]),
  })
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now()
  return { notBefore: new Date(now - BACKDATE_DAYS * DAY), notAfter: new Date(now + days * DAY) }
}

/** Random: Firefox refuses two certificates of one authority with the same number. The first bit stays 0, it is a signed integer. */
function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return Buffer.from(bytes).toString('hex')
}

async function toPem(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${bytes.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END PRIVATE KEY-----\n`
}

function fromPem(pem: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'))
}
