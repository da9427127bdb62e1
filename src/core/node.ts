import { parseLink } from '../contract/link.ts'
import type { CarApi, NodeEvent, NodeService, NodeStatus, RepoApi } from '../contract/node-api.ts'
import { PocketError } from '../shared/errors.ts'
import { LIMITS } from '../shared/limits.ts'
import { createCarApi } from './car/car-api.ts'
import { createBlockSource } from './content/block-source.ts'
import { createLibrary, type Library } from './content/library.ts'
import { parseCid } from './content/paths.ts'
import { openPinSet, type PinSet } from './content/pins.ts'
import { createReader, type Reader } from './content/read.ts'
import { createEventHub, type EventHub } from './events.ts'
import { HTTP_PROTOCOL } from './gateway/http-head.ts'
import { createGateway } from './gateway/http-server.ts'
import { createPocketHelia, type PocketHelia } from './helia.ts'
import { loadIdentity } from './identity.ts'
import { createAddressPolicy, type AddressPolicy } from './network/address-policy.ts'
import { createDialer, type Dialer } from './network/dialer.ts'
import { createFollowed, type Followed } from './network/followed.ts'
import { AGENT, libp2pOptions } from './network/libp2p.ts'
import { describeConnection, describePeers, parsePeerId } from './network/peers.ts'
import { createRelayList, type RelayList } from './network/relay-list.ts'
import { parseHints, parseRelay } from './network/multiaddr.ts'
import { createRelays, type Relays } from './network/relays.ts'
import { describeStatus } from './network/status.ts'
import type { HostPorts } from './ports.ts'
import { createCollector } from './repo/collector.ts'
import { createHeldRoots } from './repo/held-roots.ts'
import { createRepo } from './repo/repo.ts'
import { createRoom, type Room } from './repo/room.ts'
import { makeShare } from './share.ts'
import { createBlockstore, createDatastore, type PocketBlockstore } from './storage/index.ts'
import { filesOf } from './transfers/imports.ts'
import { openJournal, type Journal } from './transfers/journal.ts'
import { createTransfers, type Transfers } from './transfers/transfers.ts'
import { createSources } from './transfers/sources/index.ts'

export interface NodeConfig {
  host: NodeStatus['host']
  /** Relays of the app's own companion; those a person set are kept by the node. */
  relays: string[]
}

/** Starts the node on what the host supplies. Resolves when it can be used; relays connect after that. */
export async function createNode(ports: HostPorts, config: NodeConfig): Promise<NodeService> {
  const datastore = createDatastore(ports.state)
  const room = createRoom(ports.estimate)
  const [blocks, privateKey, pins, relayList, journal] = await Promise.all([
    createBlockstore(ports.blocks, room),
    loadIdentity(ports.state),
    openPinSet(ports.state),
    createRelayList(ports.state, config.relays),
    openJournal(ports.state),
  ])
  // Files of adds that were cut off before the journal had them. Beside the start: nothing waits for it.
  void blocks.sweepFiles(journal.found.flatMap(({ staged }) => filesOf(staged))).catch(() => undefined)
  const policy = createAddressPolicy()
  const options = libp2pOptions({ privateKey, datastore, policy, webrtc: ports.webrtc.state() !== 'unsupported' })
  const helia = await createPocketHelia({ blocks, datastore, options })
  await helia.start()
  try {
    return await assemble(ports, config, { helia, blocks, room, pins, journal, relayList, policy })
  } catch (error) {
    await helia.stop()
    throw error
  }
}

interface Started {
  helia: PocketHelia
  blocks: PocketBlockstore
  room: Room
  pins: PinSet
  journal: Journal
  relayList: RelayList
  policy: AddressPolicy
}

/** Joins the parts to a node. What it throws leaves Helia running. */
async function assemble(
  ports: HostPorts,
  config: NodeConfig,
  { helia, blocks, room, pins, journal, relayList, policy }: Started,
): Promise<NodeService> {
  const { libp2p } = helia
  const { network, webrtc } = ports
  const hub = createEventHub()
  const source = createBlockSource({ networked: helia.blockstore, local: blocks })
  const reader = createReader(source)
  const roots = createHeldRoots()
  const kept = (): string[] => pins.list().map(({ cid }) => cid)
  const collector = createCollector({ uses: blocks.uses, source, pins: kept, roots })
  const dialer = createDialer({ libp2p, policy, network, webrtc })
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
      fetch: ports.fetch,
      source,
      blocks,
      dial: (addr, options) => dialer.dial(addr, options),
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
    follow: (addrs) => followed.follow(addrs),
  })
  const gateway = createGateway(source, (peerId, cid) => transfers.answer(peerId, cid))
  await libp2p.handle(HTTP_PROTOCOL, (stream, connection) => void gateway.serve(stream, connection), {
    runOnLimitedConnection: true,
    maxInboundStreams: LIMITS.maxInboundStreams,
    maxOutboundStreams: LIMITS.maxOutboundStreams,
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
    relays: createRelays({ libp2p, policy, network, onChange: () => node.changed() }),
  })
  node.start()
  // After the journal has said what it holds.
  room.by(collector)
  return node
}

interface Parts {
  ports: HostPorts
  host: NodeStatus['host']
  helia: PocketHelia
  blocks: PocketBlockstore
  hub: EventHub
  reader: Reader
  library: Library
  transfers: Transfers
  car: CarApi
  repo: RepoApi
  dialer: Dialer
  followed: Followed
  relayList: RelayList
  relays: Relays
}

/** Changes of connections come in bursts; watchers hear of them this much later, in ms. */
const SETTLE_MS = 30

class PocketNodeService implements NodeService {
  readonly #parts: Parts
  readonly #startedAt = Date.now()
  readonly #stops: (() => void)[] = []
  #state: NodeStatus['state'] = 'running'
  #settling: ReturnType<typeof setTimeout> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  start(): void {
    const { ports, relays, relayList, helia, transfers } = this.#parts
    for (const type of ['connection:open', 'connection:close', 'self:peer:update', 'peer:identify'] as const) {
      helia.libp2p.addEventListener(type, () => this.changed())
    }
    this.#stops.push(
      ports.network.watch(() => this.changed()),
      ports.webrtc.watch(() => this.changed()),
    )
    relays.set(relayList.all())
    transfers.begin()
  }

  id: NodeService['id'] = async () => {
    const { libp2p } = this.#parts.helia
    return {
      peerId: libp2p.peerId.toString(),
      multiaddrs: libp2p.getMultiaddrs().map(String),
      agentVersion: AGENT,
    }
  }

  add: NodeService['add'] = (source, options) => this.#parts.transfers.add(source, options)

  cat: NodeService['cat'] = (path, options) => this.#parts.reader.cat(path, options)

  ls: NodeService['ls'] = (path, options) => this.#parts.reader.ls(path, options)

  stat: NodeService['stat'] = (path, options) => this.#parts.reader.stat(path, options)

  readonly pin: NodeService['pin'] = {
    add: (path, options) => this.#parts.transfers.keep(path, options),
    rm: (cid) => this.#parts.library.remove(cid),
    ls: () => iterate(this.#parts.library.list()),
  }

  get car(): NodeService['car'] {
    return this.#parts.car
  }

  get transfers(): NodeService['transfers'] {
    return this.#parts.transfers
  }

  get repo(): NodeService['repo'] {
    return this.#parts.repo
  }

  dial: NodeService['dial'] = async (target, options) =>
    describeConnection(this.#parts.helia.libp2p, await this.#parts.dialer.dial(target, options))

  hangUp: NodeService['hangUp'] = async (peerId, { signal } = {}) => {
    const peer = parsePeerId(peerId)
    this.#parts.followed.forget(peer.toString())
    await this.#parts.helia.libp2p.hangUp(peer, signal === undefined ? {} : { signal })
  }

  peers: NodeService['peers'] = async () => describePeers(this.#parts.helia.libp2p)

  share: NodeService['share'] = async (text, { name, size, appUrl } = {}) => {
    if (appUrl === undefined) throw new PocketError('ERR_INVALID_ARGUMENT', 'appUrl is missing')
    const cid = parseCid(text).toString()
    const pin = this.#parts.library.get(cid)
    const known = { name: name ?? pin?.name, size: size ?? pin?.size }
    return makeShare(
      appUrl,
      {
        cid,
        ...(known.name === undefined ? {} : { name: known.name }),
        ...(known.size === undefined ? {} : { size: known.size }),
      },
      this.#parts.helia.libp2p.getMultiaddrs(),
    )
  }

  open: NodeService['open'] = async (url) => {
    const link = parseLink(url)
    parseCid(link.cid)
    this.#parts.followed.follow(parseHints(link.via))
    return link
  }

  setRelays: NodeService['setRelays'] = async (multiaddrs) => {
    const { relayList, relays } = this.#parts
    await relayList.set(multiaddrs.map(parseRelay))
    relays.set(relayList.all())
  }

  offerRelays: NonNullable<NodeService['offerRelays']> = (multiaddrs) => {
    const { relayList, relays } = this.#parts
    relayList.offer(multiaddrs)
    relays.set(relayList.all())
  }

  status: NodeService['status'] = async () => this.#status()

  watch: NodeService['watch'] = (listener) => {
    const { hub, library, helia } = this.#parts
    const present: NodeEvent[] = [
      { type: 'status', status: this.#status() },
      { type: 'pins', pins: library.list() },
    ]
    void describePeers(helia.libp2p).then((peers) => listener({ type: 'peers', peers }))
    return hub.watch(listener, present)
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopping') return
    this.#state = 'stopping'
    clearTimeout(this.#settling)
    for (const stop of this.#stops) stop()
    const { transfers, followed, relays, helia, blocks, ports } = this.#parts
    await transfers.stop()
    followed.stop()
    relays.stop()
    try {
      await helia.stop()
    } finally {
      // Whatever libp2p complains about: what was written is to be flushed.
      await Promise.allSettled([blocks.close(), ports.state.close()])
    }
  }

  /** Tells watchers, soon, that the status or the peers are others. */
  changed(): void {
    if (this.#settling !== undefined || this.#state === 'stopping') return
    this.#settling = setTimeout(() => {
      this.#settling = undefined
      const { hub, helia } = this.#parts
      hub.emit({ type: 'status', status: this.#status() })
      void describePeers(helia.libp2p).then((peers) => hub.emit({ type: 'peers', peers }))
    }, SETTLE_MS)
  }

  #status(): NodeStatus {
    const { helia, ...parts } = this.#parts
    return describeStatus(this.#state, { ...parts, libp2p: helia.libp2p, startedAt: this.#startedAt })
  }
}

async function* iterate<T>(values: T[]): AsyncGenerator<T> {
  yield* values
}
