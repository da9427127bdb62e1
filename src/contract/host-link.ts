import type { PortLike } from './port.ts'

/**
 * How a page and a host meet, before the RPC of `node-rpc.ts` runs on the same port. The version changes when a page
 * and a host of different builds could not talk; a host answers a foreign version with `refused`.
 */
export const HOST_PROTOCOL = 1

/** Held by the one host that owns the node of this origin. */
export const HOST_LOCK = 'pocket-ipfs:host'
/** Held by the page that lends WebRTC. */
export const LENDER_LOCK = 'pocket-ipfs:lender'
/** Held by the page whose dedicated worker is the host, where there is no SharedWorker. */
export const LEADER_LOCK = 'pocket-ipfs:leader'

export interface HelloMessage {
  type: 'hello'
  version: number
  clientId: string
  page: { webrtc: boolean; origin: string }
  /** Relays the page learnt from its origin's companion. */
  relays: string[]
}

export type HostReply =
  /** `lock` is a Web Lock that the host holds for as long as it lives: when a page gets it, the host is gone. */
  | { type: 'welcome'; version: number; hostId: string; lock: string }
  | { type: 'refused'; version: number; message: string }

/** Sent by the page after `welcome`, with the port over which it lends WebRTC. */
export interface LendMessage {
  type: 'lend'
  port: PortLike
}
