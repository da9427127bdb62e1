import type { AbortOptions } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import type { NodeService, NodeStatus } from '../contract/node-api.ts'
import { LIMITS } from '../shared/limits.ts'
import { createCarApi } from './car/car-api.ts'
import { createConnectivity, type Connectivity } from './connectivity/connectivity.ts'
import { byteMetrics } from './connectivity/metrics.ts'
import { meteredFetch } from './connectivity/metered-fetch.ts'
import { createBlockSource } from './content/block-source.ts'
import { createLibrary } from './content/library.ts'
import { openPinSet, type PinSet } from './content/pins.ts'
import { createReader } from './content/read.ts'
import { createEventHub } from './events.ts'
import { HTTP_PROTOCOL } from './gateway/http-head.ts'
import { createGateway } from './gateway/http-server.ts'
import { createPocketHelia, type PocketHelia } from './helia.ts'
import { loadIdentity } from './identity.ts'
import { createLifecycle } from './lifecycle/lifecycle.ts'
import { dropDead, probeTimeout } from './lifecycle/wake.ts'
import { createAddressPolicy, type AddressPolicy } from './network/address-policy.ts'
import { createDialer } from './network/dialer.ts'
import { createFollowed } from './network/followed.ts'
import { libp2pOptions } from './network/libp2p.ts'
import { createRelayList, type RelayList } from './network/relay-list.ts'
import { createRelays } from './network/relays.ts'
import { createNetworkStart, resetLibp2p } from './network/start.ts'
import type { HostPorts, PhoneInfo } from './ports.ts'
import { createCollector } from './repo/collector.ts'
import { createHeldRoots } from './repo/held-roots.ts'
import { createRepo } from './repo/repo.ts'
import { createRoom, type Room } from './repo/room.ts'
import { createBlockstore, createDatastore, type PocketBlockstore } from './storage/index.ts'
import { filesOf } from './transfers/imports.ts'
import { openJournal, type Journal } from './transfers/journal.ts'
import { createTransfers } from './transfers/transfers.ts'
import { createSources } from './transfers/sources/index.ts'
import { PocketNodeService } from './node-service.ts'

export interface NodeConfig {
  host: NodeStatus['host']
  /** Relays of the app's own companion; those a person set are kept by the node. */
  relays: string[]
  /** For a node that a service worker was woken for: it keeps to this profile, whatever the person chose. */
  profile?: 'wake'
}

/** Where there is no page to be hidden. */
const ALWAYS_IN_FRONT: PhoneInfo = { state: () => ({ visibility: 'visible' }), watch: () => () => undefined }

/**
 * Starts the node on what the host supplies. Resolves when what is on this phone can be read and added to; the network comes
 * up beside that (`status().state` is `starting` until then), and relays connect after it.
 */
export async function createNode(ports: HostPorts, config: NodeConfig): Promise<NodeService> {
  const opening = createConnectivity({
    state: ports.state,
    network: ports.network,
    phone: ports.phone ?? ALWAYS_IN_FRONT,
    fixed: config.profile,
  })
  try {
    return await open(ports, config, opening)
  } catch (error) {
    // It watches the phone by now, whatever else could not be opened.
    await opening.then(
      (connectivity) => connectivity.stop(),
      () => undefined,
    )
    throw error
  }
}

async function open(ports: HostPorts, config: NodeConfig, opening: Promise<Connectivity>): Promise<NodeService> {
  const datastore = createDatastore(ports.state)
  const room = createRoom(ports.estimate)
  const [blocks, privateKey, pins, relayList, journal, connectivity] = await Promise.all([
    createBlockstore(ports.blocks, room),
    loadIdentity(ports.state),
    openPinSet(ports.state),
    createRelayList(ports.state, config.relays),
    openJournal(ports.state),
    opening,
  ])
  // Files of adds that were cut off before the journal had them. Beside the start: nothing waits for it.
  void blocks.sweepFiles(journal.found.flatMap(({ staged }) => filesOf(staged))).catch(() => undefined)
  const policy = createAddressPolicy()
  const options = libp2pOptions({
    privateKey,
    datastore,
    policy,
    webrtc: ports.webrtc.state() !== 'unsupported',
    // A session that stalls is worse than a slower one.
    first: () => (ports.phone?.state().webkit === true ? 'websocket' : connectivity.allows().first),
    // Not taken apart: it is asked before the others are there.
    metrics: (components) => byteMetrics(connectivity.meter, () => components.connectionManager.getConnections()),
  })
  const helia = await createPocketHelia({ blocks, datastore, options })
  return assemble(ports, config, { helia, blocks, room, pins, journal, relayList, policy, connectivity })
}

interface Started {
  helia: PocketHelia
  blocks: PocketBlockstore
  room: Room
  pins: PinSet
  journal: Journal
  relayList: RelayList
  policy: AddressPolicy
  connectivity: Connectivity
}

/** Joins the parts to a node, and lets the network come up. */
function assemble(
  ports: HostPorts,
  config: NodeConfig,
  { helia, blocks, room, pins, journal, relayList, policy, connectivity }: Started,
): NodeService {
  const { libp2p } = helia
  const { webrtc, phone = ALWAYS_IN_FRONT } = ports
  const { network } = connectivity
  const hub = createEventHub()
  let isStarted = false
  const start = createNetworkStart({
    async attempt(again) {
      if (again) await resetLibp2p(libp2p)
      await handle()
      await helia.start()
      isStarted = true
    },
    onSettled: () => node.networkSettled(),
  })
  /** What is here is read before the network is up; what is not waits for it. */
  async function* early(cid: CID, options: AbortOptions): AsyncGenerator<Uint8Array> {
    if (!(await blocks.has(cid))) await start.up()
    yield* helia.blockstore.get(cid, options)
  }
  const source = createBlockSource({
    networked: { get: (cid, options = {}) => (isStarted ? helia.blockstore.get(cid, options) : early(cid, options)) },
    local: blocks,
  })
  const reader = createReader(source)
  const roots = createHeldRoots()
  const kept = (): string[] => pins.list().map(({ cid }) => cid)
  const collector = createCollector({ uses: blocks.uses, source, pins: kept, roots })
  const dialer = createDialer({
    libp2p,
    policy,
    network,
    webrtc,
    up: () => start.up(),
    blocked: () => connectivity.blocked(),
  })
  const followed = createFollowed({ libp2p, dialer, network, webrtc })
  const library = createLibrary({
    networked: helia.blockstore,
    blocks,
    source,
    reader,
    pins,
    roots,
    collector,
    sources: createSources({
      libp2p,
      fetch: meteredFetch(ports.fetch, connectivity),
      lanes: () => connectivity.allows().readAhead,
      source,
      blocks,
      reach: (addrs) => followed.reach(addrs),
    }),
    onChange: (list) => {
      hub.emit({ type: 'pins', pins: list })
      node.changed()
    },
  })
  const transfers = createTransfers({
    journal,
    blocks,
    library,
    roots,
    release: (root) => collector.release(root),
    libp2p,
    network,
    blocked: () => connectivity.blocked(),
  })
  const gateway = createGateway(
    source,
    (peerId, cid) => transfers.answer(peerId, cid),
    () => connectivity.allows().serves,
  )
  const handle = (): Promise<void> =>
    libp2p.handle(HTTP_PROTOCOL, (stream, connection) => void gateway.serve(stream, connection), {
      runOnLimitedConnection: true,
      maxInboundStreams: LIMITS.maxInboundStreams,
      maxOutboundStreams: LIMITS.maxOutboundStreams,
    })
  const relays = createRelays({ libp2p, policy, network, onChange: () => node.changed(), held: 0 })
  const life = createLifecycle({
    phone,
    network: ports.network,
    checkpoint: () => Promise.all([transfers.checkpoint(), connectivity.meter.save()]),
    wake: () => {
      // Beside the question who lives: what is known to be lost need not wait for the answer.
      relays.retry()
      followed.retry()
      transfers.review(0)
      return dropDead(libp2p.getConnections(), probeTimeout(phone.state().connection?.rtt))
    },
    onAway: (long) => connectivity.away(long),
    onChange: () => node.changed(),
  })
  const node = new PocketNodeService({
    ports,
    host: config.host,
    helia,
    blocks,
    hub,
    reader,
    library,
    transfers,
    car: createCarApi({ blocks, source, reader, library, roots, collector }),
    repo: createRepo({ blocks, source, pins: kept, collector, estimate: ports.estimate }),
    dialer,
    followed,
    relayList,
    relays,
    connectivity,
    life,
    start,
  })
  node.start()
  start.begin()
  // After the journal has said what it holds.
  room.by(collector)
  return node
}
