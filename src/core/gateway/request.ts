import type { CID } from 'multiformats/cid'
import { PocketError } from '../../shared/errors.ts'
import { parseCid } from '../content/paths.ts'

/** What of https://specs.ipfs.tech/http-gateways/trustless-gateway/ is answered. */
export type GatewayRequest =
  { kind: 'raw'; cid: CID } | { kind: 'car'; cid: CID; scope: 'all' | 'entity' | 'block'; range?: ByteRange }

/** `entity-bytes`: inclusive; negative numbers count from the end; `to` may be open. */
export interface ByteRange {
  from: number
  to?: number
}

/** @throws PocketError ERR_INVALID_PATH, ERR_INVALID_CID, ERR_UNSUPPORTED_CODEC, ERR_INVALID_ARGUMENT */
export function parseGatewayRequest(target: string, accept: string | undefined): GatewayRequest {
  const found = /^\/ipfs\/([^/?#]+)\/?(?:\?([^#]*))?$/.exec(target)
  if (found === null) throw new PocketError('ERR_INVALID_PATH')
  const cid = parseCid(found[1] ?? '')
  const query = new URLSearchParams(found[2] ?? '')
  const format = query.get('format') ?? formatOf(accept)
  if (format === 'raw') return { kind: 'raw', cid }
  if (format !== 'car') throw new PocketError('ERR_INVALID_ARGUMENT', 'Only raw and CAR are answered')
  const scope = query.get('dag-scope') ?? 'all'
  if (scope !== 'all' && scope !== 'entity' && scope !== 'block')
    throw new PocketError('ERR_INVALID_ARGUMENT', 'dag-scope')
  const range = query.get('entity-bytes')
  return range === null ? { kind: 'car', cid, scope } : { kind: 'car', cid, scope: 'entity', range: parseRange(range) }
}

export function formatCarRequest(cid: CID, range?: { from: number; to: number }): string {
  const entity = range === undefined ? 'dag-scope=all' : `dag-scope=entity&entity-bytes=${range.from}:${range.to}`
  return `/ipfs/${cid.toString()}?format=car&${entity}`
}

function formatOf(accept: string | undefined): string | undefined {
  if (accept?.includes('application/vnd.ipld.raw') === true) return 'raw'
  return accept?.includes('application/vnd.ipld.car') === true ? 'car' : undefined
}

function parseRange(text: string): ByteRange {
  const found = /^(-?\d{1,15}):(-?\d{1,15}|\*)$/.exec(text)
  if (found === null) throw new PocketError('ERR_INVALID_ARGUMENT', 'entity-bytes')
  return { from: Number(found[1]), ...(found[2] === '*' ? {} : { to: Number(found[2]) }) }
}
