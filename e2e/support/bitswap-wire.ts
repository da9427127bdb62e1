/** As much of Bitswap 1.2.0's protobuf messages as a peer needs that answers wants, honestly or not. */
import { varint } from 'multiformats'

export interface BitswapBlock {
  /** CID version, codec, hash code and hash length, as varints: what the sender says the bytes are. */
  prefix: Uint8Array
  data: Uint8Array
}

const VARINT = 0
const BYTES = 2

interface Field {
  number: number
  value: number | Uint8Array
}

/** CIDs in bytes that a message wants and does not cancel. */
export function wantedCids(message: Uint8Array): Uint8Array[] {
  const cids: Uint8Array[] = []
  for (const wantlist of children(message, 1)) {
    for (const entry of children(wantlist, 1)) {
      const fields = [...fieldsOf(entry)]
      const cancelled = fields.some(({ number, value }) => number === 3 && value === 1)
      const cid = fields.find(({ number }) => number === 1)?.value
      if (!cancelled && cid instanceof Uint8Array) cids.push(cid)
    }
  }
  return cids
}

export function blockMessage({ prefix, data }: BitswapBlock): Uint8Array {
  return field(3, concat([field(1, prefix), field(2, data)]))
}

/** Numbers, one after the other, as a CID's prefix has them. */
export function varints(numbers: number[]): Uint8Array {
  return concat(numbers.map((number) => varint.encodeTo(number, new Uint8Array(varint.encodingLength(number)))))
}

function field(number: number, value: Uint8Array): Uint8Array {
  return concat([varints([(number << 3) | BYTES, value.byteLength]), value])
}

function children(message: Uint8Array, number: number): Uint8Array[] {
  return [...fieldsOf(message)].flatMap((each) =>
    each.number === number && each.value instanceof Uint8Array ? [each.value] : [],
  )
}

function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0
  const next = (): number => {
    const [value, length] = varint.decode(message, at)
    at += length
    return value
  }
  while (at < message.byteLength) {
    const tag = next()
    const number = tag >> 3
    if ((tag & 7) === VARINT) yield { number, value: next() }
    else if ((tag & 7) === BYTES) {
      const length = next()
      yield { number, value: message.subarray(at, at + length) }
      at += length
    } else throw new Error(`Wire type ${tag & 7} occurs in no Bitswap message`)
  }
}

function concat(parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}
