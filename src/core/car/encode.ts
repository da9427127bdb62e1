import { encode as encodeCbor } from '@ipld/dag-cbor'
import type { CID } from 'multiformats/cid'
import { varint } from 'multiformats'

/** The header of a CAR version 1 (https://ipld.io/specs/transport/car/carv1/). */
export function encodeHeader(roots: CID[]): Uint8Array {
  return prefixed([encodeCbor({ version: 1, roots })])
}

/** What stands before the bytes of a block: with them it is one section. The bytes are not copied. */
export function encodeSectionHead(cid: CID, length: number): Uint8Array {
  const total = cid.bytes.byteLength + length
  const head = new Uint8Array(varint.encodingLength(total) + cid.bytes.byteLength)
  varint.encodeTo(total, head)
  head.set(cid.bytes, varint.encodingLength(total))
  return head
}

function prefixed(parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0)
  const bytes = new Uint8Array(varint.encodingLength(length) + length)
  varint.encodeTo(length, bytes)
  let at = varint.encodingLength(length)
  for (const part of parts) {
    bytes.set(part, at)
    at += part.byteLength
  }
  return bytes
}
