import { base32 } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'

/** The multihash of a CID, small enough to be stored. */
export function multihashOf(cid: CID): Uint8Array {
  const bytes = cid.multihash.bytes
  if (bytes.byteLength > LIMITS.maxMultihashBytes) {
    throw new PocketError('ERR_UNSUPPORTED_CODEC', 'The hash of the CID is too long', {
      detail: { bytes: bytes.byteLength, limit: LIMITS.maxMultihashBytes },
    })
  }
  return bytes
}

export function keyOf(multihash: Uint8Array): string {
  return base32.encode(multihash)
}

export function multihashOfKey(key: string): Uint8Array {
  return base32.decode(key)
}

/** The store knows hashes only: what it lists are raw CIDs, as in js-stores. */
export function rawCid(multihash: Uint8Array): CID {
  return CID.createV1(raw.code, Digest.decode(multihash))
}
