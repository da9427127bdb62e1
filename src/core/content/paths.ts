import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { base32 } from 'multiformats/bases/base32'
import { base36 } from 'multiformats/bases/base36'
import * as dagPb from '@ipld/dag-pb'
import { parseLink } from '../../contract/link.ts'
import { PocketError } from '../../shared/errors.ts'

export interface ContentPath {
  cid: CID
  /** Names below `cid`. */
  names: string[]
}

/** sha2-256 and identity: what every IPFS node has, and what this one verifies. */
const HASHES = new Set([0x12, 0x00])
const CODECS = new Set<number>([raw.code, dagPb.code])

/**
 * `cid`, `/ipfs/cid/a/b`, `ipfs://cid/a/b`.
 * @throws PocketError ERR_INVALID_PATH, ERR_INVALID_CID, ERR_UNSUPPORTED_CODEC
 */
export function parsePath(path: string): ContentPath {
  let link
  try {
    link = parseLink(path)
  } catch (cause) {
    const part = cause instanceof PocketError ? cause.detail?.part : undefined
    throw new PocketError(part === 'cid' ? 'ERR_INVALID_CID' : 'ERR_INVALID_PATH', undefined, { cause })
  }
  return { cid: parseCid(link.cid), names: link.path.split('/').filter((name) => name !== '') }
}

/** What a path ends with, as it is called; the path itself where it is none. */
export function lastName(path: string): string {
  const name = path.split('/').at(-1) ?? path
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/** @throws PocketError ERR_INVALID_CID, ERR_UNSUPPORTED_CODEC */
export function parseCid(text: string): CID {
  let cid: CID
  try {
    cid = text.startsWith('k')
      ? CID.parse(text, base36)
      : text.startsWith('b')
        ? CID.parse(text, base32)
        : CID.parse(text)
  } catch (cause) {
    throw new PocketError('ERR_INVALID_CID', undefined, { cause, detail: { cid: text.slice(0, 100) } })
  }
  if (!CODECS.has(cid.code) || !HASHES.has(cid.multihash.code)) {
    throw new PocketError('ERR_UNSUPPORTED_CODEC', undefined, {
      detail: { codec: cid.code, hash: cid.multihash.code },
    })
  }
  return cid
}
