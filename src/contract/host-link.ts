import { PocketError, type WireError } from '../shared/errors.ts'
import { LIMITS } from '../shared/limits.ts'
import { parsePageReport, type PageReport } from './page-report.ts'

/**
 * How a page and a host meet, before the RPC of `node-rpc.ts` runs on the same port, and what they tell each other
 * beside it. Messages of this file have a `type`, those of the RPC a `t`.
 *
 * The number grows when a page and a host of different builds could not talk (a test compares the files that say how). A
 * host refuses every other number; a page of a newer build then replaces it, a page of an older one has to be reloaded.
 */
export const HOST_PROTOCOL = 4

/** Held by the one host that owns the node of this origin. */
export const HOST_LOCK = 'pocket-ipfs:host'
/** Held by the page that lends WebRTC. */
export const LENDER_LOCK = 'pocket-ipfs:lender'
/** Held by the page whose dedicated worker is the host, where there is no SharedWorker. */
export const LEADER_LOCK = 'pocket-ipfs:leader'
/** Held while a page replaces a host that is silent, so that only one does. */
export const TAKEOVER_LOCK = 'pocket-ipfs:takeover'

/** Held by a host as long as it lives: when a page gets it, the host is gone. */
export const hostLock = (hostId: string): string => `${HOST_LOCK}:${hostId}`
/** Held by a page as long as its link lives: when the host gets it, the page is gone. */
export const clientLock = (clientId: string): string => `pocket-ipfs:client:${clientId}`

/** A BroadcastChannel at which a host is found that no port leads to. */
export const DOOR_CHANNEL = 'pocket-ipfs:door'
/** A BroadcastChannel that stands in for the port between one page and one host. */
export const linkChannel = (clientId: string, hostId: string): string => `pocket-ipfs:link:${clientId}:${hostId}`
/** A BroadcastChannel that stands in for the port over which a page lends WebRTC. */
export const lendChannel = (id: string): string => `pocket-ipfs:lend:${id}`

/** Name of the worker. Pages that agree on a generation meet in one SharedWorker; a hung one keeps its name. */
export const workerName = (generation: number): string => `pocket-ipfs:${generation}`

export interface HelloMessage {
  type: 'hello'
  version: number
  /** Fresh for every link; its `clientLock` is held already. */
  clientId: string
  page: { webrtc: boolean }
  /** Relays that the page was given, or learnt from its origin's companion. */
  relays: string[]
  /** A host that this page found silent, or of an older build: it may be robbed of the node. */
  replaces?: string
}

export type PageMessage =
  | HelloMessage
  /** Relays that the page learnt after its hello. */
  | { type: 'relays'; relays: string[] }
  /** How the page and its phone are, on each change: workers of Chrome get none of these events. */
  | { type: 'page'; report: PageReport }
  /** Lends WebRTC: over a port that comes in `event.data.port`, or over a `lendChannel`. */
  | { type: 'lend'; port: MessagePort }
  | { type: 'lend'; channel: string }

export type HostReply =
  /** The host lives and opens the node; `hostLock(hostId)` is held already. */
  | { type: 'starting'; hostId: string }
  /** The node runs: calls may come. */
  | { type: 'welcome'; hostId: string }
  /** Another version of the app runs the node. */
  | { type: 'refused'; version: number; hostId: string }
  /** Another host owns the node: ask at the door. */
  | { type: 'busy' }
  /** The node did not start. A later hello tries again. */
  | { type: 'failed'; error: WireError }

export type DoorMessage =
  /** A page looks for a host. */
  | { type: 'knock'; clientId: string }
  /** The host listens on `linkChannel(clientId, hostId)`. */
  | { type: 'answer'; clientId: string; hostId: string }
  /** A host has just become the owner of the node: knock now. */
  | { type: 'open'; hostId: string }

/** @throws PocketError ERR_PROTOCOL */
export function parsePageMessage(data: unknown): PageMessage {
  const message = record(data)
  switch (message.type) {
    case 'hello': {
      const page = record(message.page)
      return {
        type: 'hello',
        version: integer(message.version),
        clientId: text(message.clientId),
        page: { webrtc: flag(page.webrtc) },
        relays: texts(message.relays),
        ...(message.replaces === undefined ? {} : { replaces: text(message.replaces) }),
      }
    }
    case 'relays':
      return { type: 'relays', relays: texts(message.relays) }
    case 'page': {
      const report = parsePageReport(message.report)
      if (report === undefined) throw invalid('report')
      return { type: 'page', report }
    }
    case 'lend':
      return message.port instanceof MessagePort
        ? { type: 'lend', port: message.port }
        : { type: 'lend', channel: text(message.channel) }
    default:
      throw invalid('type')
  }
}

/** @throws PocketError ERR_PROTOCOL */
export function parseHostReply(data: unknown): HostReply {
  const message = record(data)
  switch (message.type) {
    case 'starting':
    case 'welcome':
      return { type: message.type, hostId: text(message.hostId) }
    case 'refused':
      return { type: 'refused', version: integer(message.version), hostId: text(message.hostId) }
    case 'busy':
      return { type: 'busy' }
    case 'failed':
      // The error itself may be anything: fromWireError reads it with care.
      return { type: 'failed', error: message.error as WireError }
    default:
      throw invalid('type')
  }
}

/** @throws PocketError ERR_PROTOCOL */
export function parseDoorMessage(data: unknown): DoorMessage {
  const message = record(data)
  switch (message.type) {
    case 'knock':
      return { type: 'knock', clientId: text(message.clientId) }
    case 'answer':
      return { type: 'answer', clientId: text(message.clientId), hostId: text(message.hostId) }
    case 'open':
      return { type: 'open', hostId: text(message.hostId) }
    default:
      throw invalid('type')
  }
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw invalid('shape')
  return value as Record<string, unknown>
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > LIMITS.maxHostTextChars) throw invalid('text')
  return value
}

function texts(value: unknown): string[] {
  if (!Array.isArray(value) || value.length > LIMITS.maxHostTexts) throw invalid('list')
  return value.map(text)
}

function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw invalid('number')
  return value as number
}

function flag(value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalid('flag')
  return value
}

function invalid(what: string): PocketError {
  return new PocketError('ERR_PROTOCOL', `A message between page and host has the wrong ${what}`)
}
