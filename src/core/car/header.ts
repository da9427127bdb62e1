/** The header of a CAR version 1 in DAG-CBOR (https://ipld.io/specs/transport/car/carv1/): `{ roots: [link], version: 1 }`. */
import { CID } from 'multiformats/cid'

/** Of DAG-CBOR (https://ipld.io/specs/codecs/dag-cbor/spec/), in the upper three bits of an item's first byte. */
const UINT = 0
const BYTES = 2
const TEXT = 3
const LIST = 4
const MAP = 5
const TAG = 6
const LINK = 42

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export function encodeRoots(roots: CID[]): Uint8Array {
  const links = roots.flatMap(({ bytes }) => [...head(TAG, LINK), ...head(BYTES, bytes.byteLength + 1), 0, ...bytes])
  return Uint8Array.from([
    ...head(MAP, 2),
    ...text('roots'),
    ...head(LIST, roots.length),
    ...links,
    ...text('version'),
    ...head(UINT, 1),
  ])
}

function text(value: string): number[] {
  return [...head(TEXT, value.length), ...encoder.encode(value)]
}

function head(kind: number, value: number): number[] {
  if (value < 24) return [(kind << 5) | value]
  if (value < 0x100) return [(kind << 5) | 24, value]
  if (value < 0x1_0000) return [(kind << 5) | 25, value >>> 8, value & 0xff]
  return [(kind << 5) | 26, value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
}

/**
 * What any header can be made of: maps, lists, text, bytes, whole numbers and links; a link is a CID, a map a Map.
 * @throws Error for everything else, and when bytes are missing or left over
 */
export function decodeItems(bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0

  function take(length: number): Uint8Array {
    if (length > bytes.byteLength - at) throw new Error('It is cut')
    return bytes.subarray(at, (at += length))
  }

  function length(low: number): number {
    if (low < 24) return low
    if (low > 26) throw new Error('A length that no header has')
    const size = 1 << (low - 24)
    const from = at
    take(size)
    return size === 1 ? view.getUint8(from) : size === 2 ? view.getUint16(from) : view.getUint32(from)
  }

  function item(): unknown {
    const first = take(1)[0] ?? 0
    const value = length(first & 0x1f)
    switch (first >>> 5) {
      case UINT:
        return value
      case BYTES:
        return take(value)
      case TEXT:
        return decoder.decode(take(value))
      case LIST:
        return items(value)
      case MAP:
        return pairs(value)
      case TAG:
        if (value === LINK) return link(item())
    }
    throw new Error('Neither a map, a list, text, bytes, a number nor a link')
  }

  /** Grown item by item: nothing is made for a count that lies. */
  function items(count: number): unknown[] {
    const list = []
    while (list.length < count) list.push(item())
    return list
  }

  function pairs(count: number): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>()
    for (let left = count; left > 0; left--) map.set(item(), item())
    return map
  }

  const value = item()
  if (at !== bytes.byteLength) throw new Error('There is more behind it')
  return value
}

function link(value: unknown): CID {
  if (!(value instanceof Uint8Array) || value[0] !== 0) throw new Error('A link is no CID')
  return CID.decode(value.subarray(1))
}
