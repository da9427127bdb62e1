import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'

const SHA2_256 = 0x12
const IDENTITY = 0x00

/** The block of an identity CID is the CID itself. */
export function inlinedBytes({ multihash }: CID): Uint8Array | undefined {
  return multihash.code === IDENTITY ? multihash.digest : undefined
}

/**
 * What this node reads and verifies: raw and dag-pb, by SHA-256 or inlined.
 * @throws PocketError ERR_UNSUPPORTED_CODEC; ERR_INVALID_BLOCK for an inlined block that is too long, which could nest
 * others a thousand deep
 */
export function checkCid(cid: CID): void {
  const { multihash, code } = cid
  if ((code !== raw.code && code !== dagPb.code) || (multihash.code !== SHA2_256 && multihash.code !== IDENTITY)) {
    throw new PocketError('ERR_UNSUPPORTED_CODEC', undefined, { detail: { codec: code, hash: multihash.code } })
  }
  if (multihash.bytes.byteLength > LIMITS.maxMultihashBytes) {
    throw new PocketError('ERR_INVALID_BLOCK', 'A block is inlined that is too long for it', {
      detail: { bytes: multihash.digest.byteLength, limit: LIMITS.maxMultihashBytes },
    })
  }
}
