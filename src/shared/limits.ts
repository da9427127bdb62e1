/**
 * Every limit of the node in one place, each with its reason. A limit that is hit is an error with a code, never a silent cut.
 * Limits of the companion are in `src/companion/config.ts`, since its operator may change those.
 */

const KiB = 1024
const MiB = 1024 * KiB

export const LIMITS = {
  /** Largest block accepted, in bytes. What Bitswap peers agree to carry (Bitswap spec: 2 MiB). */
  maxBlockBytes: 2 * MiB,
  /** Leaf size when adding, in bytes. IPIP-499 `unixfs-v1-2025`. */
  chunkBytes: 1 * MiB,
  /** Bytes of small files that are stored as one: a put of so many takes as long as their bytes, and two of them are in memory. */
  packBytes: 8 * MiB,
  /** Entries in one `add` of a folder: an index of 100,000 paths is about 20 MB in the worker. */
  maxFolderEntries: 100_000,
  /** Bytes of one name in a folder: what ext4 and APFS can save again. */
  maxNameBytes: 255,
  /** Depth of a folder tree: a recursive walk must end. */
  maxFolderDepth: 64,
  /** Characters of a share link that is parsed at all. */
  maxLinkChars: 8 * KiB,
  /** Characters of a CID in a link: base36 of the longest multihash stored; of one dial hint: a relayed address has about 200. */
  maxCidChars: 256,
  maxHintChars: 1024,
  /** Dial hints in a share link. The QR must stay scannable (design: version 15 or below). */
  maxLinkHints: 3,
  /** Bytes of a link in a QR of version 15 with level L (ISO/IEC 18004 table 7). */
  maxQrBytes: 520,

  /** Open connections, all peers. A phone's radio and memory: each libp2p connection costs about 150 KiB. */
  maxConnections: 64,
  /** Dials under way. Chromium blocks new WebTransport sessions after 64 pending ones (js-libp2p#1896): stay far below. */
  maxParallelDials: 8,
  /** Dials waiting for a place. */
  maxDialQueue: 64,
  /** Addresses tried for one peer. */
  maxAddrsPerPeer: 16,
  /** One dial in all, in ms: longer than a relayed WebRTC hand-shake over a slow mobile network (about 4 s). */
  dialTimeoutMs: 15_000,
  /** Waiting for a page that lends WebRTC before a dial goes on without, in ms: a page does so within 50 ms of its first call. */
  lenderWaitMs: 1_500,
  /** Peers of links that are dialled again when they are lost, and how often in a row (in all about 15 s). */
  maxFollowedPeers: 32,
  followAttempts: 5,
  /** Private addresses that a person pointed at: those of a few links a day, until the node is started again. */
  maxIntendedAddrs: 256,
  /** Inbound connections a second from one host: all phones behind a relay look like one. The default of 5 refused the sixth. */
  inboundPerSecond: 32,
  /** Protocol and encryption negotiation of an inbound connection, in ms. */
  inboundUpgradeTimeoutMs: 10_000,
  /** A newer WebRTC connection of a peer replaces those older by so much, in ms: two phones that dial each other at once make two. */
  supersedeAfterMs: 2_000,
  /** Longest pause before a relay is called again, in ms: a phone comes back within a minute of its relay. */
  maxRelayPauseMs: 60_000,
  /** The network that did not start is tried again after so long, in ms; doubled each time, up to the second. */
  networkRetryMs: 1_000,
  maxNetworkRetryMs: 30_000,
  /** Inbound streams of one application protocol and connection. */
  maxInboundStreams: 64,
  /** Outbound streams of one application protocol and connection. */
  maxOutboundStreams: 128,
  /**
   * Pings under way on one connection, in each direction. libp2p's defaults are one outbound and two inbound: when the
   * question of a wake and that of libp2p's own monitor meet, the second is refused, and the monitor takes that for a dead
   * connection. These are two at a time; the rest is for streams that are still closing.
   */
  maxPings: 4,

  /** Bytes of a multihash that is stored: SHA-512 and BLAKE2b-512 need 68. */
  maxMultihashBytes: 128,
  /** Blocks and bytes that one storage transaction gathers: 40 puts a transaction measured twice as fast as one. */
  writeBatchBlocks: 64,
  writeBatchBytes: 8 * MiB,
  /** Changes gathered at once that carry no bytes: deletions and parts of files. */
  writeBatchChanges: 1024,
  /** Values deleted in one background transaction, which others wait for: each takes about 0.1 ms. */
  purgeBlocks: 256,
  /** Waiting for more deletions before values are deleted, in ms: a transaction for every few is slower than both apart. */
  purgeDelayMs: 100,
  /** Nodes read at once while everything that is kept is walked: two read transactions, at most 64 MiB. */
  walkWindow: 32,
  /** Blocks hashed at once while the store is verified: 32 MiB, and both cores busy. */
  verifyWindow: 16,
  /** Damaged and missing blocks that a report names; it counts them all. */
  maxReportCids: 1_000,
  /** Bytes written between two looks at the quota: a look costs a millisecond. */
  roomCheckBytes: 64 * MiB,
  /**
   * Room below which blocks that nothing needs are freed, in bytes and as a part of the quota: more than is written
   * between two looks, with what is on its way. Chromium shows no more than 10 GiB of room, whatever there is, and less
   * only where the disk has less.
   */
  reserveBytes: 256 * MiB,
  reserveShare: 0.1,
  /** Bytes freed at least when a write found no room, so that the next ones find some: four batches of the store. */
  evictStepBytes: 32 * MiB,
  /** Blocks that one read transaction gathers, and read transactions under way: reads of 16 MiB each keep a phone's memory flat. */
  readWindowBlocks: 16,
  readWindows: 4,
  /** Neighbouring parts of a file that are read at once, in bytes, and such reads under way: 12 MiB in all. */
  fileReadBytes: 4 * MiB,
  fileReads: 3,
  /** Bytes kept where the browser offers no storage: a tab of a small phone is killed at a few hundred MiB. */
  maxMemoryStoreBytes: 256 * MiB,
  /** Waiting for IndexedDB to open, in ms: Safari 14 left it pending for ever (WebKit bug 226547). */
  storageOpenTimeoutMs: 8_000,

  /** Blocks asked for at once while a file is fetched: 16 MiB in flight fills 50 ms × 100 MiB/s three times over. */
  fetchWindow: 16,
  /** Peers and gateways that one fetch is told to ask. */
  maxFetchSources: 16,
  /**
   * Requests of peers answered at once: each reads ahead `fetchWindow` blocks of up to 2 MiB. When all are taken, a peer that
   * has none goes before one that has several: peer ids cost nothing.
   */
  maxAnswers: 12,
  /** Of one peer: its `carStreams` and one for good measure. */
  maxAnswersPerPeer: 4,
  /**
   * Bytes of its answer that a peer must take in so much waiting for it, in ms: what is slower than 1 KiB/s holds a place for
   * nothing. The time is long, since a data channel says only when all of its 2 MiB are gone: 35 KB/s may be a phone's link.
   */
  answerBytes: 64 * KiB,
  answerPaceMs: 60_000,
  /** One Bitswap message, in ms: it carries up to 2 MiB, and a slow phone needs longer for it than Helia's 10 s. */
  bitswapMessageTimeoutMs: 60_000,
  /** A want that nothing came for is sent anew after this, in ms: the connection it went out on may have been dying. */
  askAgainMs: 5_000,
  /** A peer that sends nothing for so long while it should, in ms: longer than a phone's change of networks. */
  stallTimeoutMs: 15_000,
  /** A peer that opened a stream to ask something must have asked by then, in ms. */
  requestHeadTimeoutMs: 10_000,
  /** Bytes of the head of an HTTP request or response: Kubo's are below 1 KiB. */
  maxHttpHeadBytes: 16 * KiB,
  /** Bytes of the header of a CAR: about a thousand roots. */
  maxCarHeaderBytes: 64 * KiB,
  /** Bytes of a file in one CAR request: with `carStreams` of them under way, what may pile up unwritten is bounded. */
  carWindowBytes: 8 * MiB,
  /** The least that is asked for and that a part is divided by: a leaf of the larger kind, or four of the smaller. */
  minCarWindowBytes: MiB,
  /** Bytes of a CAR that is stored before its peer is cut off: a window with the nodes above it, and more than that is a lie. */
  maxCarBytes: 32 * MiB,
  /** CAR requests of one file: 512 GiB. Sizes in a file's node are what its maker wrote there. */
  maxCarWindows: 65_536,
  /** Children of a folder asked for together: a hundred bytes of index each, and a dead peer costs little. */
  maxGroupLinks: 1024,
  /** Links of a CAR that wait for their blocks: a node of 2 MiB has 50,000. */
  maxCarLinks: 262_144,
  /** Bytes of nodes above a window that are looked at again when a block is outside of it: a node of 1024 links has 50 KiB. */
  maxWindowNodes: 4 * MiB,
  /** Blocks that a CAR has twice: a sender that knows only `dups=y` has a few. */
  maxCarRepeats: 1024,
  /** Links on the path to a block that wait while content is read in order, some 30 MB: a node has 50,000 at most, a file's 1024. */
  maxOpenLinks: 262_144,
  /** Entries that one `ls` gives, twice as many as one `add` takes: a sharded folder can repeat itself without end. */
  maxListedEntries: 200_000,
  /** Blocks of a DAG that is fetched, or of a CAR that is imported: each takes about 100 bytes of memory while it is under way; 1 TiB in leaves of 1 MiB. */
  maxDagBlocks: 1_000_000,
  /** Fewer are stored as values: a file of its own costs more than that. */
  minPackBytes: 256 * KiB,
  /** Bytes of one request that are being checked and stored: past this its sender waits. */
  maxUnwrittenBytes: 16 * MiB,
  /** Bytes that must come in a stall timeout: a trickle holds a place as silence does. */
  stallBytes: 4 * KiB,
  /** CAR requests under way on one connection: the next answer is on its way while one is being stored. */
  carStreams: 3,
  /** Blocks on their way to the disk while a CAR is read: two batches of the store. */
  writeWindow: 80,
  /** Requests under way at one gateway: browsers open six connections to a host where it has no HTTP/2. */
  gatewayRequests: 4,
  /** Waiting for the first byte of something nobody may have, in ms. */
  findTimeoutMs: 30_000,

  /** Fetches that run at once: each may have a window of CARs under way with every peer, and a phone's memory is small. */
  maxRunningFetches: 3,
  /** Imports that run at once: hashing takes all cores already with one. */
  maxRunningImports: 2,
  /** An add of fewer bytes is over before the journal would have it, and is not written there. */
  minJournaledImport: 8 * MiB,
  /** Transfers that are not over, and those kept that are: a record is about 1 KiB, and all are read at the start. */
  maxTransfers: 1_000,
  maxFinishedTransfers: 100,
  /** Received bytes that a power cut may cost: a strict flush takes some 20 ms, and this is one to two seconds of a fast fetch. */
  checkpointBytes: 32 * MiB,
  /** Before a transfer is tried again, in ms: doubles with each try without progress, up to the second. */
  retryDelayMs: 2_000,
  maxRetryDelayMs: 5 * 60_000,
  /** Tries without progress after which a failure of the node itself, which may pass, is taken for final. */
  maxOwnFailures: 5,
  /** A peer that connects wakes a transfer this long after its last try at the soonest, in ms. */
  minRetryMs: 2_000,

  /** Bytes of a stream on a port that may be on their way unread: two reads of a file keep both sides busy. */
  portWindowBytes: 8 * MiB,
  /** Items of an object stream on a port that may be on their way unread. */
  portWindowItems: 256,
  /** Calls under way on one port. */
  maxCallsPerPort: 1024,
  /** Characters of one text and texts in one list between page and host: multiaddrs, ids, the relays of a page. */
  maxHostTextChars: 1024,
  maxHostTexts: 64,
  /** Heartbeat of a host, in ms, and how long a silent one is believed: it is replaced within 1.5 s, and a start takes up to 0.5 s. */
  heartbeatMs: 400,
  heartbeatTimeoutMs: 1_000,

  /** Hidden for less, in ms, is a look at another app: all connections are kept as they are, and nothing is asked. */
  quickFlipMs: 20_000,
  /** The clock is looked at so often, in ms; a look that comes later than the second means that this worker stood still. */
  lifeBeatMs: 5_000,
  suspendedMs: 10_000,
  /**
   * After a wake a connection has so long to answer, in ms: three of the network's round trips, within these bounds. What a
   * person waits for is not to take longer than a second, and a slow mobile network answers within two.
   */
  minProbeMs: 300,
  maxProbeMs: 2_000,
  /** Days whose bytes are remembered: the month before this one too, when the clock is set back. */
  meteredDays: 62,
  /** Peers whose bytes are told apart: more than there are connections. */
  maxMeteredPeers: 64,

  /** Peer connections that one page lends: `maxConnections` and as many being dialled; Chromium ends at about 500 a page. */
  maxLentConnections: 128,
  /** Bytes that wait in one real data channel: Chromium refuses more than 16 MiB, and what waits there cannot be taken back. */
  lentChannelBytes: 4 * MiB,
  /** Bytes that leave a real data channel before the worker is told: a hundred messages a second at 25 MiB/s. */
  lentDrainStep: 256 * KiB,
  /** Bytes sent on one channel that have not left: where Chromium's own `send` says that its queue is full. */
  maxLentQueueBytes: 16 * MiB,
  /** The same for all channels of one page: a frozen page takes nothing from its port, and a phone's memory is small. */
  maxLentPortBytes: 64 * MiB,
  /** Received bytes on their way from a page to the worker: past this the worker hangs, and the channel is closed. */
  maxLentUnreadBytes: 64 * MiB,
  /** A page with lent connections is pinged so often, in ms, and after so many unanswered it counts as frozen: 2 s. */
  lenderPingMs: 500,
  lenderSilentPings: 4,
  /** A page that offers WebRTC says who it is at once; a port that stays silent for so long, in ms, is let go. */
  lenderHelloMs: 10_000,
  /** How often a page that would lend asks the one that does, and how long that may take to answer, in ms. */
  lenderAskMs: 2_000,
  lenderAnswerMs: 1_000,

  /**
   * Bytes that a sender may seal into a wake. A push message carries 3,993 (RFC 8291, 4), and these come in base64 inside of
   * JSON with a title and an address.
   */
  maxWakeBytes: 1_536,
  /** Seconds that a push service keeps a wake, if the sender does not say, and at most: a day; four weeks is where FCM ends. */
  wakeTtlSeconds: 86_400,
  maxWakeTtlSeconds: 2_419_200,
  /** Bytes that a sender may seal into a left offer: a CID, a name, three addresses and a key are 1.2 KiB. */
  maxOfferBytes: 2_048,
  /** Seconds that a left offer is kept, if the sender does not say, and at most: a week, and a month's holiday. */
  offerTtlSeconds: 604_800,
  maxOfferTtlSeconds: 2_592_000,
  /** Characters of a push service's URL: those of Windows have about 500. */
  maxPushEndpointChars: 1024,
  /** Characters of the address in the app that a notification opens. */
  maxPushTargetChars: 512,
  /** Characters of the notification that a browser shows of its own accord. */
  maxPushTitleChars: 120,
} as const
