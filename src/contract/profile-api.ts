import type { CallOptions } from './call.ts'

/** What a person chooses; `auto` goes by the network and the battery. */
export type ProfileChoice = 'auto' | 'full' | 'saver' | 'offline'

/** What the node may spend; what each means is the table of `core/connectivity/profiles.ts`. `wake` is the service worker's. */
export type ProfileName = 'full' | 'saver' | 'offline' | 'wake'

/** `unknown` where the browser does not tell: all but Chrome on Android and ChromeOS. */
export type NetworkKind = 'wifi' | 'cellular' | 'ethernet' | 'unknown'

export interface ProfileState {
  choice: ProfileChoice
  profile: ProfileName
  /** Why it is this one. */
  reason: 'chosen' | 'default' | 'no-network' | 'save-data' | 'metered' | 'slow' | 'battery' | 'wake'
  network: NetworkKind
  /**
   * Why nothing is sent and received at all, if so: the person's choice, a cap (`capped` says which), or a frugal profile
   * whose pages have been hidden for long.
   */
  quiet?: 'chosen' | 'data-cap' | 'hidden'
  capped?: 'day' | 'month'
}

export interface ProfileApi {
  get(options?: CallOptions): Promise<ProfileState>
  /** Resolves when it is kept; the next node begins with it. */
  set(choice: ProfileChoice, options?: CallOptions): Promise<ProfileState>
}

/** Bytes in a calendar day or month after which nothing is sent or received until the next; absent: no cap. */
export interface DataCaps {
  day?: number
  month?: number
}

/** Bytes as the transports carried them, without what TLS, QUIC or DTLS add. */
export interface DataCount {
  in: number
  out: number
}

export interface DataPeriod extends Record<NetworkKind, DataCount> {
  /** Bytes that count towards the cap: both directions, all but Wi-Fi and cable. */
  counted: number
}

export interface DataUsage {
  caps: DataCaps
  /** Of the calendar day and month, by the phone's own clock. */
  day: DataPeriod
  month: DataPeriod
  /** Those that moved most since the node started, at most 64. A relayed byte counts for its peer, not for the relay. */
  peers: ({ peer: string } & DataCount)[]
}

export interface DataApi {
  usage(options?: CallOptions): Promise<DataUsage>
  /** Replaces both. Resolves when they are kept. @throws PocketError ERR_INVALID_ARGUMENT unless whole and above 0 */
  setCaps(caps: DataCaps, options?: CallOptions): Promise<DataUsage>
}

/** See docs/lifecycle.md. */
export type LifeState = 'starting' | 'active' | 'hidden' | 'frozen' | 'suspended' | 'waking' | 'offline' | 'stopped'

export interface LifeStatus {
  state: LifeState
  since: number
  /** How long the last checkpoint took, in ms: all that had arrived when the app was hidden, flushed to the disk. */
  checkpointMs?: number
  /** When that was over. */
  checkpointAt?: number
  /** How long the last wake took until every connection had answered or was dropped, in ms. */
  wakeMs?: number
}
