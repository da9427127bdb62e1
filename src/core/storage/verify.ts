import type { CID } from 'multiformats/cid'
import type { MultihashHasher } from 'multiformats/hashes/interface'
import { sha256 } from 'multiformats/hashes/sha2'
import { PocketError } from '../../shared/errors.ts'

export type GetHasher = (code: number) => Promise<MultihashHasher> | MultihashHasher

/** Without a `getHasher` only SHA2-256 can be checked. */
export const sha256Only: GetHasher = (code) => {
  if (code === sha256.code) return sha256
  throw new PocketError('ERR_UNSUPPORTED_CODEC', undefined, { detail: { hash: code } })
}

/** @throws ERR_BLOCK_HASH_MISMATCH, ERR_UNSUPPORTED_CODEC */
export async function verifyBlock(multihash: CID['multihash'], bytes: Uint8Array, getHasher: GetHasher): Promise<void> {
  const hasher = await getHasher(multihash.code)
  const { digest } = await hasher.digest(bytes, { truncate: multihash.digest.byteLength })
  const same =
    digest.byteLength === multihash.digest.byteLength && digest.every((byte, at) => byte === multihash.digest[at])
  if (!same) throw new PocketError('ERR_BLOCK_HASH_MISMATCH')
}
