import type {
  AddProgress,
  AddResult,
  CarImportProgress,
  CarImportResult,
  DataCaps,
  DataUsage,
  FetchProgress,
  LsEntry,
  NodeEvent,
  NodeId,
  NodeStatus,
  OpenedLink,
  PeerConnection,
  Pin,
  ProfileChoice,
  ProfileState,
  RepoFreed,
  RepoReport,
  RepoStat,
  ShareResult,
  StatResult,
  Transfer,
  TransferRequest,
  VerifyProgress,
} from './node-api.ts'

/** Where the content of an entry is: in the message itself, or in the n-th body stream of the call. */
export type WireContent = Blob | Uint8Array | { body: number }

export type WireAddSource =
  { kind: 'single'; content: WireContent } | { kind: 'entries'; entries: { path: string; content: WireContent }[] }

/**
 * The methods of the node on a port. `unary` answers once, `bytes` is a byte stream, `items` a stream of values.
 * Both ends import this table, neither imports the other.
 */
export interface NodeMethods {
  id: Unary<undefined, NodeId>
  add: Unary<{ source: WireAddSource; name?: string; transfer?: string }, AddResult, AddProgress>
  cat: Bytes<{ path: string; offset?: number; length?: number }>
  ls: Items<{ path: string }, LsEntry>
  stat: Unary<{ path: string }, StatResult>
  'pin.add': Unary<{ path: string; name?: string; transfer?: string; from?: string[] }, Pin, FetchProgress>
  'pin.rm': Unary<{ cid: string }, undefined>
  'pin.ls': Items<undefined, Pin>
  'car.import': Unary<{ source: WireContent; name?: string }, CarImportResult, CarImportProgress>
  'car.export': Bytes<{ path: string }>
  'transfers.start': Unary<TransferRequest, Transfer>
  'transfers.list': Unary<undefined, Transfer[]>
  'transfers.get': Unary<{ id: string }, Transfer>
  'transfers.pause': Unary<{ id: string }, Transfer>
  'transfers.resume': Unary<{ id: string }, Transfer>
  'transfers.cancel': Unary<{ id: string }, Transfer>
  'transfers.retry': Unary<{ id: string }, Transfer>
  'transfers.watch': Items<undefined, Transfer>
  'repo.stat': Unary<undefined, RepoStat>
  'repo.gc': Unary<undefined, RepoFreed, RepoFreed>
  'repo.verify': Unary<{ repair?: boolean }, RepoReport, VerifyProgress>
  'profile.get': Unary<undefined, ProfileState>
  'profile.set': Unary<{ choice: ProfileChoice }, ProfileState>
  'data.usage': Unary<undefined, DataUsage>
  'data.setCaps': Unary<DataCaps, DataUsage>
  dial: Unary<{ target: string }, PeerConnection>
  hangUp: Unary<{ peerId: string }, undefined>
  peers: Unary<undefined, PeerConnection[]>
  share: Unary<{ cid: string; name?: string; size?: number; appUrl: string }, ShareResult>
  open: Unary<{ url: string }, OpenedLink>
  setRelays: Unary<{ multiaddrs: string[] }, undefined>
  status: Unary<undefined, NodeStatus>
  watch: Items<undefined, NodeEvent>
}

interface Unary<P, R, Progress = never> {
  kind: 'unary'
  params: P
  result: R
  progress: Progress
}
interface Bytes<P> {
  kind: 'bytes'
  params: P
}
interface Items<P, R> {
  kind: 'items'
  params: P
  result: R
}
