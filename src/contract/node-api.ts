import type { ErrorCode, WireError } from '../shared/errors.ts'
import type { CallOptions, IpfsPath, ProgressOptions, WatchHandle } from './call.ts'
import type { CarApi } from './car-api.ts'
import type { DataApi, LifeStatus, ProfileApi, ProfileState } from './profile-api.ts'
import type { RepoApi } from './repo-api.ts'
import type { TransfersApi } from './transfer-api.ts'

export type * from './call.ts'
export type * from './car-api.ts'
export type * from './profile-api.ts'
export type * from './repo-api.ts'
export type * from './transfer-api.ts'

/**
 * The client API: what a page can ask of the node. CIDs, peer ids and multiaddrs are strings (libp2p and multiformats
 * stay behind the port), sizes are bytes, times are milliseconds since the epoch.
 */

export interface NodeId {
  peerId: string
  multiaddrs: string[]
  agentVersion: string
}

/** One entry of a folder to add. `path` uses `/`; parents are made as needed. */
export interface AddEntry {
  path: string
  content: Blob | ReadableStream<Uint8Array> | Uint8Array
}

export type AddSource = Blob | ReadableStream<Uint8Array> | Uint8Array | AddEntry[]

export interface AddProgress {
  /** Bytes read from the source and hashed. */
  bytes: number
  /** Bytes of the whole source; undefined for a stream. */
  total?: number
  files: number
}

/** A call that others can watch. */
export interface ShownOptions {
  /** `Transfer.id` of what tells of this call, so that a screen can find its own; default: a random one. */
  transfer?: string
}

export interface AddOptions extends ProgressOptions<AddProgress>, ShownOptions {
  /** Name in the library and in links. Default: the File's name, or the common folder of the entries. */
  name?: string
}

export interface AddResult {
  cid: string
  /** Bytes of content (not of blocks). */
  size: number
  files: number
}

export interface CatOptions extends CallOptions {
  offset?: number
  length?: number
}

export interface LsEntry {
  name: string
  cid: string
  /** Bytes of content; for a folder, the cumulative DAG size its links declare. */
  size: number
  type: 'file' | 'directory'
}

export interface StatResult {
  cid: string
  /** Bytes of content; for a folder, of everything in it as far as its links declare. */
  size: number
  type: 'file' | 'directory'
  /** What of it is on this phone. `complete` is true only when every block was found in the store. */
  local: { bytes: number; complete: boolean }
}

export interface FetchProgress {
  /** Bytes of blocks verified and stored, those already held included. */
  bytes: number
  /** Bytes of blocks in the whole DAG as its root declares; undefined until the root arrived. */
  total?: number
  /** Where the blocks come from, whoever was asked included; absent while nobody is. */
  sources?: FetchSource[]
}

/** Somebody that is asked for blocks of a fetch. */
export interface FetchSource {
  /** `peer`: over libp2p; `gateway`: a trustless gateway over HTTPS. */
  kind: 'peer' | 'gateway'
  /** The peer id; the gateway's URL; `bitswap` for all peers that are asked together. */
  id: string
  /** Bytes of verified blocks that it brought and that were missing. */
  bytes: number
  /** `dropped`: it failed, stalled or lied, as `error` says; it may be asked again unless it lied. */
  state: 'active' | 'idle' | 'dropped'
  error?: WireError
}

/** What a person keeps: the library is the list of pins. */
export interface Pin {
  cid: string
  name: string
  /** Bytes of content. */
  size: number
  type: 'file' | 'directory'
  addedAt: number
  origin: 'added' | 'received'
}

export interface PinAddOptions extends ProgressOptions<FetchProgress>, ShownOptions {
  name?: string
  /**
   * Who to ask beside connected peers: multiaddrs, which are dialled, and URLs of trustless gateways (`https:`; `http:`
   * of loopback only).
   */
  from?: string[]
}

export interface PinApi {
  /** Fetches every missing block, then keeps the DAG. Resolves after the commit. */
  add(path: IpfsPath, options?: PinAddOptions): Promise<Pin>
  /** Forgets the pin. Blocks that nothing else needs go as soon as nothing is being added or fetched. */
  rm(cid: string, options?: CallOptions): Promise<void>
  ls(options?: CallOptions): AsyncIterable<Pin>
}

export type TransportName =
  'websocket' | 'webtransport' | 'webrtc' | 'webrtc-direct' | 'circuit-relay' | 'memory' | 'other'

export interface PeerConnection {
  peerId: string
  /** The remote multiaddr of the connection. */
  addr: string
  transport: TransportName
  /** True only for a connection that no relay carries. */
  direct: boolean
  /** True when a relay limits bytes or time of the connection. */
  limited: boolean
  direction: 'inbound' | 'outbound'
  openedAt: number
  /** What the peer calls itself, once identify has run. */
  agentVersion?: string
}

export interface ShareOptions extends CallOptions {
  name?: string
  size?: number
  /** Where the link opens; default: the origin that runs the node. */
  appUrl?: string
}

export interface ShareResult {
  url: string
  /** An SVG document of the QR code of `url`, without script, quiet zone included. */
  qr: string
  /** Whether `url` carries an address at which this node can be dialled now. */
  reachable: boolean
}

/** What a share link says, checked for shape and not for truth. */
export interface OpenedLink {
  cid: string
  /** Path below `cid`, without a leading slash; empty for the root. */
  path: string
  name?: string
  size?: number
  /** Multiaddrs to dial. */
  via: string[]
  /** Reserved for encrypted shares. */
  key?: string
}

export type StorageState =
  | { kind: 'persistent'; blocks: number; bytes: number }
  /** No IndexedDB here: content lives in memory and ends with the app. */
  | { kind: 'memory'; blocks: number; bytes: number; code: ErrorCode }

export interface RelayStatus {
  addr: string
  /** 'site': given by whoever serves the app, and not part of the list that `setRelays` replaces. */
  origin: 'site' | 'own'
  /** `resting`: the profile holds fewer relays than are known. */
  state: 'connecting' | 'connected' | 'reserved' | 'failed' | 'resting'
  error?: WireError
}

export interface NodeStatus {
  /** `starting`: what is on this phone can be read, the network is not up yet. */
  state: 'starting' | 'running' | 'stopping'
  /** Why the network did not start: it is tried again, and `state` stays `starting` meanwhile. */
  error?: WireError
  host: 'shared-worker' | 'dedicated-worker'
  online: boolean
  /** Whether others can dial this node now. */
  reachable: boolean
  peers: number
  directPeers: number
  relays: RelayStatus[]
  webrtc: 'available' | 'no-page' | 'unsupported'
  storage: StorageState
  life: LifeStatus
  profile: ProfileState
  startedAt: number
}

export type NodeEvent =
  | { type: 'status'; status: NodeStatus }
  | { type: 'peers'; peers: PeerConnection[] }
  | { type: 'pins'; pins: Pin[] }
  /** The client's own: its host was replaced; calls under way failed or go on. */
  | { type: 'host'; host: 'lost' | 'ready' }

export interface PocketNode {
  id(options?: CallOptions): Promise<NodeId>
  add(source: AddSource, options?: AddOptions): Promise<AddResult>
  cat(path: IpfsPath, options?: CatOptions): ReadableStream<Uint8Array>
  ls(path: IpfsPath, options?: CallOptions): AsyncIterable<LsEntry>
  stat(path: IpfsPath, options?: CallOptions): Promise<StatResult>
  readonly pin: PinApi
  readonly car: CarApi
  readonly transfers: TransfersApi
  readonly repo: RepoApi
  readonly profile: ProfileApi
  readonly data: DataApi
  /** A multiaddr, or the id of a peer whose addresses are known. */
  dial(target: string, options?: CallOptions): Promise<PeerConnection>
  hangUp(peerId: string, options?: CallOptions): Promise<void>
  peers(options?: CallOptions): Promise<PeerConnection[]>
  share(cid: string, options?: ShareOptions): Promise<ShareResult>
  /** Parses a link, remembers its dial hints and dials them in the background. Rejects for a malformed link only. */
  open(url: string, options?: CallOptions): Promise<OpenedLink>
  /** Multiaddrs of the relays to hold a reservation at; kept over restarts. Replaces the list. */
  setRelays(multiaddrs: string[], options?: CallOptions): Promise<void>
  status(options?: CallOptions): Promise<NodeStatus>
  /** Calls `listener` with the present state of everything at once, then with every change. */
  watch(listener: (event: NodeEvent) => void): WatchHandle
  /** Ends this client. The node goes on while another page uses it. */
  close(): Promise<void>
}

/** The node as its host sees it: the same calls, without a port between. */
export interface NodeService extends Omit<PocketNode, 'close'> {
  /**
   * Relays of the app's own companion that a page learnt after the start: used beside the others, not kept. Malformed
   * ones are ignored, since they come from a server.
   */
  offerRelays(multiaddrs: string[]): void
  /** Ends connections, flushes the stores and closes them. */
  stop(): Promise<void>
}
