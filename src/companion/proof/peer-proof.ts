import { publicKeyFromProtobuf, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import {
  authBytes,
  authHostname,
  formatAuthParams,
  newChallenge,
  parseAuthParams,
} from '../../contract/companion-auth.ts'
import { fromBase64Url, toBase64Url } from '../../shared/base64url.ts'
import { PocketError } from '../../shared/errors.ts'
import { tooMany } from '../web/api.ts'
import { errorReply } from '../web/error-reply.ts'
import { createSeal } from './seal.ts'
import type { Ed25519PrivateKey, Ed25519PublicKey } from '@libp2p/interface'
import type { AuthParams } from '../../contract/companion-auth.ts'
import type { Reply, WebRequest } from '../web/reply.ts'

export interface Proven {
  peerId: string
  /** For the answer: the companion's own proof, and a bearer token after a new proof. */
  headers: Record<string, string>
}

/**
 * The server of libp2p's Peer ID Authentication (libp2p/specs, http/peer-id-auth.md), with Ed25519 keys. Not with
 * @libp2p/http-peer-id-auth 2.0.3, which gives a bearer token to whoever names a public key: it does not look at the
 * signature of a handshake that the server began.
 */
export interface PeerProof {
  /** Who asks, or the answer that asks for a proof. @throws PocketError */
  check(request: WebRequest): Promise<Proven | { challenge: Reply }>
}

export interface PeerProofInit {
  privateKey: Ed25519PrivateKey
  /** The names under which phones call this companion, on this machine itself (`true`) or from elsewhere; a proof for another server is none for this one. */
  hostnames: (near: boolean) => readonly string[]
  now?: () => number
}

/** A phone signs at once; a person who thinks in between there is not. */
const CHALLENGE_MS = 60_000
const BEARER_MS = 3_600_000
/** Signatures of the last minute, so that none counts twice; each cost its sender one, and requests have a rate. */
const MAX_USED = 65_536
/** Ed25519. */
const SIGNATURE_BYTES = 64

export function createPeerProof({ privateKey, hostnames, now = Date.now }: PeerProofInit): PeerProof {
  const sealer = createSeal()
  const used = new Map<string, number>()
  const ownKey = publicKeyToProtobuf(privateKey.publicKey)

  const sign = async (challenge: string, clientKey: Uint8Array, hostname: string): Promise<string> =>
    toBase64Url(
      await privateKey.sign(authBytes({ 'challenge-server': challenge, 'client-public-key': clientKey, hostname })),
    )

  const ask = (hostname: string, extra: AuthParams = {}, clientKey?: string): { challenge: Reply } => {
    const challenge = newChallenge()
    const params = {
      'challenge-client': challenge,
      'public-key': toBase64Url(ownKey),
      opaque: sealer.seal('challenge', {
        challenge,
        hostname,
        at: now(),
        ...(clientKey === undefined ? {} : { clientKey }),
      }),
      ...extra,
    }
    return {
      challenge: errorReply(new PocketError('ERR_NOT_PROVEN', 'This needs a proof of the peer id.'), {
        'www-authenticate': formatAuthParams(params),
      }),
    }
  }

  /** Whether it was not used before. */
  const spend = (challenge: string): boolean => {
    if (used.has(challenge)) return false
    if (used.size >= MAX_USED) {
      for (const [old, at] of used) if (!isWithin(at, CHALLENGE_MS)) used.delete(old)
      if (used.size >= MAX_USED) throw tooMany('Too many proofs at once.', CHALLENGE_MS / 1000)
    }
    used.set(challenge, now())
    return true
  }

  /** A clock that was set back makes things come from the future: those do not count either. */
  const isWithin = (at: number, span: number): boolean => at <= now() && at > now() - span

  /** `undefined` if anything of it is wrong: which, is not told. */
  const prove = async (params: AuthParams, hostname: string): Promise<Proven | undefined> => {
    const sealed = sealer.open('challenge', params.opaque ?? '')
    if (sealed === undefined || sealed.hostname !== hostname || !isWithin(Number(sealed.at), CHALLENGE_MS))
      return undefined
    const key = readKey(params['public-key'] ?? sealed.clientKey)
    const signature = fromBase64Url(params.sig ?? '')
    if (key === undefined || signature?.byteLength !== SIGNATURE_BYTES) return undefined
    const challenge = String(sealed.challenge)
    const signed = authBytes({ 'challenge-client': challenge, 'server-public-key': ownKey, hostname })
    if (!(await key.verify(signed, signature)) || !spend(challenge)) return undefined
    const peerId = peerIdFromPublicKey(key).toString()
    const theirs = params['challenge-server']
    const info = {
      ...(theirs === undefined ? {} : { sig: await sign(theirs, publicKeyToProtobuf(key), hostname) }),
      bearer: sealer.seal('bearer', { peerId, hostname, at: now() }),
      expires: new Date(now() + BEARER_MS).toISOString(),
    }
    return { peerId, headers: { 'authentication-info': formatAuthParams(info) } }
  }

  return {
    async check({ headers, near }) {
      const hostname = authHostname(headers.host ?? '')
      if (!hostnames(near).includes(hostname)) return { challenge: misdirected(hostname) }
      const params = parseAuthParams(headers.authorization)
      if (params?.bearer !== undefined) {
        const { peerId, hostname: host, at } = sealer.open('bearer', params.bearer) ?? {}
        if (typeof peerId === 'string' && host === hostname && isWithin(Number(at), BEARER_MS))
          return { peerId, headers: {} }
        return ask(hostname)
      }
      if (params?.sig !== undefined) return (await prove(params, hostname)) ?? ask(hostname)
      // The client wants to know first whom it talks to.
      const challenge = params?.['challenge-server']
      const key = readKey(params?.['public-key'])
      if (challenge === undefined || key === undefined) return ask(hostname)
      const sig = await sign(challenge, publicKeyToProtobuf(key), hostname)
      return ask(hostname, { sig }, params?.['public-key'])
    },
  }
}

function readKey(text: unknown): Ed25519PublicKey | undefined {
  const bytes = typeof text === 'string' ? fromBase64Url(text) : undefined
  if (bytes === undefined) return undefined
  try {
    const key = publicKeyFromProtobuf(bytes)
    return key.type === 'Ed25519' ? key : undefined
  } catch {
    return undefined
  }
}

/** RFC 9110, 15.5.20. A proof that names no server, or another's, could be passed on by that one. */
function misdirected(hostname: string): Reply {
  const sentence = `The companion does not know itself as '${hostname.slice(0, 255)}'. Its operator names it in announce or hostNames.`
  return { ...errorReply(new PocketError('ERR_INVALID_ARGUMENT', sentence)), status: 421 }
}
