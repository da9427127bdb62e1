import { varint } from 'multiformats'

/**
 * The messages of circuit relay v2 that connect two peers (libp2p specs, relay/circuit-v2.md, 'Protobuf'), as far as a relay
 * reads and writes them. `@libp2p/circuit-relay-v2` has the codec but does not export it.
 */

/** Status codes of the specification. */
export const STATUS = {
  OK: 100,
  RESOURCE_LIMIT_EXCEEDED: 201,
  CONNECTION_FAILED: 203,
  NO_RESERVATION: 204,
  MALFORMED_MESSAGE: 400,
} as const

export type Status = (typeof STATUS)[keyof typeof STATUS]

export interface CircuitLimit {
  seconds: number
  bytes: number
}

const HOP = { type: 1, peer: 2, limit: 4, status: 5, CONNECT: 1, STATUS: 2 } as const
const STOP = { type: 1, peer: 2, limit: 3, status: 4, CONNECT: 0 } as const
const PEER_ID = 1
const LIMIT = { duration: 1, data: 2 } as const

const VARINT = 0
const BYTES = 2

/** The multihash of the peer that is asked for; `undefined` if this is another request than CONNECT. Throws on garbage. */
export function decodeConnect(bytes: Uint8Array): Uint8Array | undefined {
  const fields = decode(bytes)
  if (fields.get(HOP.type) !== HOP.CONNECT) return undefined
  const peer = fields.get(HOP.peer)
  const id = peer instanceof Uint8Array ? decode(peer).get(PEER_ID) : undefined
  if (!(id instanceof Uint8Array)) throw new Error('CONNECT names no peer')
  return id
}

export function encodeHopStatus(status: Status, limit?: CircuitLimit): Uint8Array {
  return encode([
    [HOP.type, HOP.STATUS],
    ...(limit === undefined ? [] : [[HOP.limit, encodeLimit(limit)] as const]),
    [HOP.status, status],
  ])
}

/** Tells the called peer who calls: `caller` is a multihash. */
export function encodeStopConnect(caller: Uint8Array, limit: CircuitLimit): Uint8Array {
  return encode([
    [STOP.type, STOP.CONNECT],
    [STOP.peer, encode([[PEER_ID, caller]])],
    [STOP.limit, encodeLimit(limit)],
  ])
}

/** What the called peer answered; throws on garbage. */
export function decodeStopStatus(bytes: Uint8Array): number | undefined {
  const status = decode(bytes).get(STOP.status)
  return typeof status === 'number' ? status : undefined
}

function encodeLimit({ seconds, bytes }: CircuitLimit): Uint8Array {
  return encode([
    [LIMIT.duration, seconds],
    [LIMIT.data, bytes],
  ])
}

function encode(fields: readonly (readonly [number: number, value: number | Uint8Array])[]): Uint8Array {
  return Buffer.concat(
    fields.flatMap(([number, value]) =>
      typeof value === 'number'
        ? [integer((number << 3) | VARINT), integer(value)]
        : [integer((number << 3) | BYTES), integer(value.byteLength), value],
    ),
  )
}

function integer(value: number): Uint8Array {
  return varint.encodeTo(value, new Uint8Array(varint.encodingLength(value)))
}

/** Fields by number, the last of each counting; others than integers and bytes do not occur. */
function decode(bytes: Uint8Array): Map<number, number | Uint8Array> {
  const fields = new Map<number, number | Uint8Array>()
  let offset = 0
  const next = (): number => {
    const [value, length] = varint.decode(bytes, offset)
    offset += length
    return value
  }
  while (offset < bytes.byteLength) {
    const tag = next()
    const value = next()
    if ((tag & 7) === VARINT) fields.set(tag >> 3, value)
    else if ((tag & 7) === BYTES && value <= bytes.byteLength - offset) {
      fields.set(tag >> 3, bytes.subarray(offset, (offset += value)))
    } else throw new Error('not a message of circuit relay v2')
  }
  return fields
}
