import { CID } from 'multiformats/cid'
import { decodeNode } from '../content/walk.ts'

export interface NodeLinks {
  /** SHA2-256 multihashes of blocks with the codec `raw`. */
  leaves: Uint8Array[]
  others: CID[]
}

/** `01 55 12 20`: CID version 1, codec `raw`, SHA2-256, 32 bytes. */
const LEAF_PREFIX = 0x01551220
const CID_PREFIX_BYTES = 2
const LEAF_BYTES = 36

/**
 * The links of a dag-pb node. A file's nodes link to a thousand leaves each, and to make a CID of every one takes ten
 * times as long as to find them: the usual form of a node is read in place, every other by the decoder.
 * @throws PocketError ERR_INVALID_BLOCK
 */
export function nodeLinks(cid: CID, bytes: Uint8Array): NodeLinks {
  return readInPlace(bytes) ?? { leaves: [], others: decodeNode(cid, bytes).Links.map(({ Hash }) => Hash) }
}

/** As the specification orders it: links first, each with Hash, Name, Tsize; then Data. Undefined for all else. */
function readInPlace(bytes: Uint8Array): NodeLinks | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: NodeLinks = { leaves: [], others: [] }
  let at = 0
  /** A varint of three bytes at most: nothing in a block is longer. -1 where it is. */
  const length = (): number => {
    let value = 0
    for (let shift = 0; shift < 21; shift += 7) {
      const byte = bytes[at++] ?? 0x80
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    return -1
  }
  while (bytes[at] === 0x12) {
    at++
    const linkBytes = length()
    const end = at + linkBytes
    if (linkBytes < 0 || end > bytes.byteLength || bytes[at++] !== 0x0a) return undefined
    const hashBytes = length()
    const hash = at
    at += hashBytes
    if (hashBytes <= 0 || at > end) return undefined
    if (hashBytes === LEAF_BYTES && view.getUint32(hash) === LEAF_PREFIX) {
      found.leaves.push(bytes.subarray(hash + CID_PREFIX_BYTES, at))
    } else {
      try {
        found.others.push(CID.decode(bytes.subarray(hash, at)))
      } catch {
        return undefined
      }
    }
    if (at < end && bytes[at] === 0x12) {
      at++
      const nameBytes = length()
      at += nameBytes
      if (nameBytes < 0 || at > end) return undefined
    }
    if (at < end) {
      if (bytes[at++] !== 0x18) return undefined
      // Tsize: eight bytes of a varint at most hold every safe integer.
      for (let left = 8; left > 0 && (bytes[at] ?? 0) >= 0x80; left--) at++
      if ((bytes[at++] ?? 0x80) >= 0x80) return undefined
    }
    if (at !== end) return undefined
  }
  if (bytes[at] === 0x0a) {
    at++
    const dataBytes = length()
    if (dataBytes < 0) return undefined
    at += dataBytes
  }
  return at === bytes.byteLength ? found : undefined
}
