import type { ProfileName } from '../../contract/node-api.ts'
import { LIMITS } from '../../shared/limits.ts'

/** What one profile allows itself. */
export interface Profile {
  /** Open connections, all peers. */
  connections: number
  /** Relays that a reservation is held at. */
  relays: number
  /** Which of a peer's addresses is dialled first. */
  first: 'webtransport' | 'websocket'
  /** Whether it goes on while all pages have been hidden for longer than a quick flip. */
  background: boolean
  /** Whether peers are answered. */
  serves: boolean
  /** CAR requests under way at one peer: the next windows of a file, of 2 to 8 MiB each (ADR 6). */
  readAhead: number
}

/** The whole table: what a profile means is decided here and nowhere else. */
export const PROFILES: Record<ProfileName, Profile> = {
  full: {
    connections: LIMITS.maxConnections,
    // As many as a link has room for: the fourth would be named nowhere. Each costs about 6 KiB a minute.
    relays: LIMITS.maxLinkHints,
    // On Wi-Fi and cable an open WebSocket costs nothing, and it is what every peer speaks.
    first: 'websocket',
    // Somebody may be fetching from here, and what is under way should be done when the person looks again.
    background: true,
    serves: true,
    // Three windows hide a round trip of 100 ms at 25 MiB/s (ADR 6).
    readAhead: LIMITS.carStreams,
  },
  saver: {
    // Its relay, whoever is sending or taking, and a few to spare: each keeps the radio awake with its pings.
    connections: 8,
    // One is enough to be found; the next known one takes over when it does not answer.
    relays: 1,
    // QUIC survives the change of cell and loses less to a lossy link than TCP does.
    first: 'webtransport',
    // Hidden it costs nothing: the pings of one relay alone keep a mobile radio from sleeping.
    background: false,
    // Whoever shares a link over mobile data wants it to be taken.
    serves: true,
    // What is asked for ahead is paid for, also when the person cancels.
    readAhead: 1,
  },
  offline: {
    // libp2p takes no 0; nothing is dialled or accepted anyway.
    connections: 1,
    relays: 0,
    first: 'websocket',
    background: false,
    serves: false,
    readAhead: 1,
  },
  // No host uses it yet: for a node that a service worker is woken for (NodeConfig.profile).
  wake: {
    // The peers of the jobs it was woken for: 25 s are no time for others.
    connections: 4,
    // A reservation takes 0.3 s, and nobody could use it before the worker ends.
    relays: 0,
    first: 'webtransport',
    background: true,
    serves: false,
    readAhead: 2,
  },
}

/** At or below this share of a battery that is not charging, `auto` saves: where Android's own saver begins to offer itself. */
export const LOW_BATTERY = 0.2
/** `effectiveType`s on which `auto` saves: 50 and 70 kbit/s and less (https://wicg.github.io/netinfo/#effective-connection-types). */
export const SLOW_TYPES = ['slow-2g', '2g']
/** A round trip, in ms, from which `auto` saves: the lower bound of `2g` there. */
export const SLOW_RTT_MS = 1_400
