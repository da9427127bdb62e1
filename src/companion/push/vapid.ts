import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { join } from 'node:path'
import { PocketError } from '../../shared/errors.ts'
import { createPrivateFile, readPrivateFile } from '../private-file.ts'
import type { KeyObject } from 'node:crypto'

const FILE = 'vapid.pem'
/** RFC 8292, 2: at most 24 hours. A token is used for half of its time, so that a clock may be off by hours. */
const TOKEN_MS = 12 * 3_600_000

/** Says to push services who sends (VAPID, RFC 8292). */
export interface Vapid {
  /** What browsers take as `applicationServerKey`: the uncompressed point in base64url. */
  readonly publicKey: string
  /** The `Authorization` header for a push service. */
  authorization(endpoint: URL): string
}

/**
 * The P-256 key, made on first use. Each subscription is bound to it, so it must outlive every restart; a damaged file is
 * refused and never replaced, since no phone would get a push any more and none would know.
 * @param contact `sub` of the tokens: a mailto: or https: address of whoever runs this
 */
export async function loadVapid(dataDir: string, contact: string, now: () => number = Date.now): Promise<Vapid> {
  const path = join(dataDir, FILE)
  const stored = await readPrivateFile(path)
  if (stored !== undefined) return createVapid(decode(stored, path), contact, now)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const made = await createPrivateFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  return createVapid(made ? privateKey : decode((await readPrivateFile(path)) ?? '', path), contact, now)
}

export function createVapid(key: KeyObject, contact: string, now: () => number): Vapid {
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' })
  const point = Buffer.concat([Uint8Array.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  const publicKey = point.toString('base64url')
  const tokens = new Map<string, { token: string; madeAt: number }>()
  return {
    publicKey,
    authorization({ origin }) {
      const known = tokens.get(origin)
      const age = now() - (known?.madeAt ?? 0)
      if (known !== undefined && age >= 0 && age < TOKEN_MS / 2) return `vapid t=${known.token}, k=${publicKey}`
      const claims = { aud: origin, exp: Math.floor((now() + TOKEN_MS) / 1000), sub: contact }
      const token = signToken(key, claims)
      // Endpoints are given by phones: what is kept must end.
      if (tokens.size >= MAX_TOKENS) tokens.clear()
      tokens.set(origin, { token, madeAt: now() })
      return `vapid t=${token}, k=${publicKey}`
    },
  }
}

/** There are half a dozen push services. */
const MAX_TOKENS = 256

/** RFC 7519 with ES256. */
function signToken(key: KeyObject, claims: object): string {
  const content = [{ typ: 'JWT', alg: 'ES256' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const signature = sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' })
  return `${content}.${signature.toString('base64url')}`
}

function decode(content: string, path: string): KeyObject {
  try {
    const key = createPrivateKey(content)
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key
  } catch {
    // told below, without the content
  }
  throw new PocketError(
    'ERR_INVALID_ARGUMENT',
    `${path} does not hold a P-256 key. Restore it from a backup, or move it away: phones then subscribe anew when they are opened next.`,
  )
}
