import type { CID } from 'multiformats/cid'
import { varint } from 'multiformats'
import { encodeRoots } from './header.ts'

/** What a CAR of version 1 begins with. */
export function encodeHeader(roots: CID[]): Uint8Array {
  const header = encodeRoots(roots)
  const bytes = new Uint8Array(varint.encodingLength(header.byteLength) + header.byteLength)
  varint.encodeTo(header.byteLength, bytes)
  bytes.set(header, bytes.byteLength - header.byteLength)
  return bytes
}

/** What stands before the bytes of a block: with them it is one section. The bytes are not copied. */
export function encodeSectionHead(cid: CID, length: number): Uint8Array {
  const total = cid.bytes.byteLength + length
  const head = new Uint8Array(varint.encodingLength(total) + cid.bytes.byteLength)
  varint.encodeTo(total, head)
  head.set(cid.bytes, varint.encodingLength(total))
  return head
}
