import { flag, integer, text, textList } from './config-fields.ts'

/** Fields of what phones leave with the companion and ask it to send or to answer, each with its default and reason. */
export const PUSH_FIELDS = {
  // Who may ask, and how much is kept

  /**
   * Names under which phones call this companion, besides those of `announce`, `localName` and, while nothing is announced, this machine's addresses. A
   * phone signs the name that it called; a proof for another name may have been passed on by somebody else's server.
   */
  hostNames: textList([], /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i, 'a list of host names'),
  /** Requests a second of one address to /push, and as many to /routing, on average: what hundreds of phones behind one router need, and no more. */
  apiRequestsPerSecond: integer(10, 1, 100_000),
  /** Such requests of one address at once. */
  apiBurst: integer(200, 1, 1_000_000),
  /** Peers of whom something is kept. One with two subscriptions and ten capabilities takes about 3 KiB. */
  maxKnownPeers: integer(20_000, 1, 10_000_000),
  /** Days after which a peer that did not prove itself any more is forgotten with all of its things: half a year in a drawer. */
  peerDays: integer(180, 1, 3_650),
  /** New peers an hour from one address. A peer id costs nothing, so one machine could fill all places; a school fills its own in a day. An IPv6 /48 gets four times as many. */
  newPeersPerHour: integer(60, 1, 1_000_000),
  /** New peers from one address at once. */
  newPeerBurst: integer(100, 1, 1_000_000),

  // Web push

  /** A mailto: or https: address of whoever runs this, told to push services (RFC 8292, `sub`). Empty: https: and the first public name. */
  pushContact: text('', {
    mayBeEmpty: true,
    pattern: /^(mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/,
    must: 'a mailto: or https: URL',
  }),
  /**
   * Lets phones subscribe with http endpoints and private addresses. For tests with a push service of one's own on this
   * machine only: with it, anybody who proves a peer id can have this machine send requests into its own network.
   */
  pushPrivateEndpoints: flag(false),
  /** Subscriptions of one peer: each browser that has its key has one, and those of browsers that were wiped linger. */
  maxSubscriptionsPerPeer: integer(8, 1, 1_000),
  /** Days that a subscription lasts; the app renews it whenever it is opened. */
  subscriptionDays: integer(90, 1, 3_650),
  /** Capabilities that one peer has given out: one for each paired device. */
  maxCapabilitiesPerPeer: integer(256, 1, 100_000),
  /** Wakes a minute with one capability, on average. Each shows a notification, and phones punish apps that show too many. */
  wakesPerMinutePerCapability: integer(6, 1, 100_000),
  /** Wakes with one capability at once: a few files sent one after the other. */
  wakeBurstPerCapability: integer(12, 1, 100_000),
  /** Wakes of one receiver a minute, by all who may. */
  wakesPerMinutePerPeer: integer(20, 1, 100_000),
  /** Wakes of one receiver at once. */
  wakeBurstPerPeer: integer(40, 1, 100_000),
  /** Wakes that push services have not taken yet, in all, and of one receiver: 2 KiB each on the disk. */
  maxPendingWakes: integer(20_000, 1, 10_000_000),
  maxPendingWakesPerPeer: integer(128, 1, 1_000_000),
  /** Requests to push services under way: each has a few KiB and takes some 100 ms. */
  maxParallelPushes: integer(32, 1, 10_000),
  /** Milliseconds that a push service may take to answer. */
  pushTimeoutMs: integer(10_000, 100, 120_000),
  /** Milliseconds before a push is tried again; doubles with each try, and is longer if the service asks for it (Retry-After). */
  pushRetryMs: integer(15_000, 10, 3_600_000),
  /** Tries of one push: with the pauses above, which end at an hour, some three hours of a push service that is down. */
  maxPushTries: integer(10, 1, 100),
  /** Refusals in a row (other than 404 and 410, which say that it is gone) after which a subscription is dropped. */
  maxPushRefusals: integer(16, 1, 10_000),

  // Left offers

  /** Offers in all: 2 KiB each on the disk. */
  maxOffers: integer(100_000, 1, 10_000_000),
  /** Offers that wait for one receiver: what a person can look through after a holiday. */
  maxOffersPerPeer: integer(256, 1, 10_000_000),
  /** Offers of one sender that wait for one receiver, so that one of its devices cannot crowd out the others. */
  maxOffersPerCapability: integer(64, 1, 10_000_000),
  /** Offers a minute with one capability, on average. */
  offersPerMinute: integer(30, 1, 10_000_000),
  /** Offers with one capability at once: a handful of albums, one by one. */
  offerBurst: integer(64, 1, 10_000_000),

  // Names (IPNS)

  /** IPNS names whose record is kept: half a KiB each, 10 KiB at most. */
  maxNames: integer(50_000, 1, 10_000_000),
  /** Days that a record is kept at most, however long it is valid. Publishers put theirs again every day or so. */
  nameDays: integer(30, 1, 10_000_000),
  /** New names an hour from one address. A name costs nothing, so one machine could fill all places. An IPv6 /48 gets four times as many. */
  newNamesPerHour: integer(30, 1, 10_000_000),
  /** New names from one address at once. */
  newNameBurst: integer(60, 1, 10_000_000),
}
