import { publicKeyFromProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromString } from '@libp2p/peer-id'
import { base36 } from 'multiformats/bases/base36'
import { PocketError } from '../../shared/errors.ts'
import type { ipnsValidator } from '@helia/ipns'
import type { PeerId } from '@libp2p/interface'

/** A record that its name's key has signed and that is not over. */
export interface CheckedRecord {
  bytes: Uint8Array
  sequence: bigint
  /** End of its validity, in milliseconds since 1970. */
  endsAt: number
  /** How long it may be taken for the newest, in seconds. */
  ttlSeconds: number
}

/** What an IPNS name stands for; the same however it is written. */
export interface Name {
  /** As base36 CID. */
  text: string
  routingKey: Uint8Array
}

/**
 * Names of Ed25519 keys, which are all that are made today (IPNS specification: the default). The key is in the name: of
 * another kind it would come with the record, and @helia/ipns 10.1.0 does not compare it with the name.
 * @throws PocketError ERR_INVALID_ARGUMENT
 */
export function parseName(text: string): Name {
  let peer: PeerId
  try {
    peer = peerIdFromString(text)
  } catch (cause) {
    throw new PocketError('ERR_INVALID_ARGUMENT', 'This is not an IPNS name.', { cause })
  }
  if (peer.type !== 'Ed25519')
    throw new PocketError('ERR_INVALID_ARGUMENT', 'Only names of Ed25519 keys are kept here.')
  const routingKey = Buffer.concat([Buffer.from('/ipns/'), peer.toMultihash().bytes])
  return { text: peer.toCID().toString(base36), routingKey }
}

/** @throws PocketError ERR_INVALID_RECORD */
export async function checkRecord(name: Name, bytes: Uint8Array, now: number): Promise<CheckedRecord> {
  // Loaded at the first record: most companions see none for hours.
  const ipns = await import('@helia/ipns')
  const { decode } = await import('@ipld/dag-cbor')
  try {
    const { data } = await ipns.ipnsValidator(name.routingKey, bytes, KEYS)
    const { Sequence, Validity, TTL } = decode<Record<string, unknown>>(data ?? new Uint8Array(0))
    const endsAt = Validity instanceof Uint8Array ? Date.parse(new TextDecoder().decode(Validity)) : Number.NaN
    // The validator makes a time out of anything, out of '2099-13-45' too: others would read another one.
    if (!(endsAt > now)) throw new Error('its validity is over, or no time')
    return { bytes, sequence: toBigInt(Sequence), endsAt, ttlSeconds: Number(toBigInt(TTL) / 1_000_000_000n) }
  } catch (cause) {
    throw new PocketError('ERR_INVALID_RECORD', undefined, { cause })
  }
}

/** What the validator asks of a keychain. */
const KEYS = {
  loadPublicKeyFromProtobuf: (bytes: Uint8Array) => Promise.resolve(publicKeyFromProtobuf(bytes)),
} as unknown as Parameters<typeof ipnsValidator>[2]

function toBigInt(value: unknown): bigint {
  const number = typeof value === 'bigint' || Number.isSafeInteger(value) ? BigInt(value as bigint | number) : -1n
  if (number < 0n || number > 0xffff_ffff_ffff_ffffn) throw new Error('a number that is none')
  return number
}
