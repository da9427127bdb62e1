import type { CID } from 'multiformats/cid'
import { PocketError } from '../../shared/errors.ts'
import { parseCid } from '../content/paths.ts'

/** What of https://specs.ipfs.tech/http-gateways/trustless-gateway/ is answered. */
export type GatewayRequest = { kind: 'raw'; cid: CID } | CarRequest

export interface CarRequest {
  kind: 'car'
  cid: CID
  scope: 'all' | 'entity' | 'block'
  range?: ByteRange
  /**
   * Only these children of the node, first and last by their place, each whole. Not of the specification: who heeds it says
   * so with LINKS_HEADER.
   */
  links?: { from: number; to: number }
}

export const CAR_TYPE = 'application/vnd.ipld.car; version=1; order=dfs; dups=n'
export const RAW_TYPE = 'application/vnd.ipld.raw'
/** `from:to` of the children that an answer has, as asked for with the parameter `links`. */
export const LINKS_HEADER = 'pocket-links'

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
  const links = query.get('links')
  if (links !== null) return { kind: 'car', cid, scope: 'all', links: parseLinks(links) }
  const range = query.get('entity-bytes')
  return range === null ? { kind: 'car', cid, scope } : { kind: 'car', cid, scope: 'entity', range: parseRange(range) }
}

/** The path and the query to ask with. */
export function formatRequest(request: GatewayRequest): string {
  const path = `/ipfs/${request.cid.toString()}`
  if (request.kind === 'raw') return `${path}?format=raw`
  const { scope, range, links } = request
  const bytes = range === undefined ? '' : `&entity-bytes=${range.from}:${range.to ?? '*'}`
  const children = links === undefined ? '' : `&links=${links.from}:${links.to}`
  return `${path}?format=car&dag-scope=${scope}${bytes}${children}`
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

function parseLinks(text: string): { from: number; to: number } {
  const found = /^(\d{1,9}):(\d{1,9})$/.exec(text)
  if (found === null || Number(found[1]) > Number(found[2])) throw new PocketError('ERR_INVALID_ARGUMENT', 'links')
  return { from: Number(found[1]), to: Number(found[2]) }
}
