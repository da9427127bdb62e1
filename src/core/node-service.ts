import { parseLink } from '../contract/link.ts'
import type { CarApi, NodeEvent, NodeService, NodeStatus, RepoApi } from '../contract/node-api.ts'
import { PocketError } from '../shared/errors.ts'
import type { Connectivity } from './connectivity/connectivity.ts'
import { enforceProfile } from './connectivity/enforce.ts'
import type { Library } from './content/library.ts'
import { parseCid } from './content/paths.ts'
import type { Reader } from './content/read.ts'
import type { EventHub } from './events.ts'
import type { PocketHelia } from './helia.ts'
import type { Lifecycle } from './lifecycle/lifecycle.ts'
import type { Dialer } from './network/dialer.ts'
import type { Followed } from './network/followed.ts'
import { AGENT } from './network/libp2p.ts'
import { describeConnection, describePeers, parsePeerId } from './network/peers.ts'
import type { RelayList } from './network/relay-list.ts'
import { parseHints, parseRelay } from './network/multiaddr.ts'
import type { Relays } from './network/relays.ts'
import type { NetworkStart } from './network/start.ts'
import { describeStatus } from './network/status.ts'
import type { HostPorts } from './ports.ts'
import { makeShare } from './share.ts'
import type { PocketBlockstore } from './storage/index.ts'
import type { Transfers } from './transfers/transfers.ts'

/** What a node is made of. */
export interface NodeParts {
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
  connectivity: Connectivity
  life: Lifecycle
  start: NetworkStart
}

/** Changes of connections come in bursts; watchers hear of them this much later, in ms. */
const SETTLE_MS = 30

export class PocketNodeService implements NodeService {
  readonly #parts: NodeParts
  readonly #startedAt = Date.now()
  readonly #stops: (() => void)[] = []
  #state: NodeStatus['state'] = 'starting'
  /** Whether transfers that were under way go on. */
  #begun = false
  #settling: ReturnType<typeof setTimeout> | undefined

  constructor(parts: NodeParts) {
    this.#parts = parts
  }

  start(): void {
    const { ports, helia, connectivity, relays, relayList } = this.#parts
    for (const type of ['connection:open', 'connection:close', 'self:peer:update', 'peer:identify'] as const) {
      helia.libp2p.addEventListener(type, () => this.changed())
    }
    this.#stops.push(
      ports.network.watch(() => this.changed()),
      ports.webrtc.watch(() => this.changed()),
      connectivity.watch(() => this.changed()),
    )
    // None is called before the network is up.
    relays.set(relayList.all())
  }

  /** An attempt to bring the network up has ended: what was under way goes on, also without it. */
  networkSettled(): void {
    const { connectivity, relays, helia, transfers, life, start } = this.#parts
    if (this.#state === 'stopping') return
    if (start.error() === undefined) {
      this.#state = 'running'
      const review = (): void => transfers.review()
      this.#stops.push(enforceProfile({ connectivity, libp2p: helia.libp2p, relays, review }))
      life.started()
    }
    if (!this.#begun) transfers.begin()
    this.#begun = true
    this.changed()
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

  get profile(): NodeService['profile'] {
    return this.#parts.connectivity.profile
  }

  get data(): NodeService['data'] {
    return this.#parts.connectivity.data
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
    const hints = parseHints(link.via)
    this.#parts.followed.follow(hints)
    return { ...link, via: hints.map(String) }
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
    let stopped = false
    void describePeers(helia.libp2p).then((peers) => {
      if (!stopped) listener({ type: 'peers', peers })
    })
    const watching = hub.watch(listener, present)
    return {
      stop() {
        stopped = true
        watching.stop()
      },
    }
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopping') return
    this.#state = 'stopping'
    clearTimeout(this.#settling)
    for (const stop of this.#stops) stop()
    const { transfers, followed, relays, helia, blocks, ports, connectivity, life, start } = this.#parts
    life.stop()
    connectivity.stop()
    await start.stop()
    await transfers.stop()
    followed.stop()
    relays.stop()
    try {
      await helia.stop()
    } finally {
      // Whatever libp2p complains about: what was written is to be flushed.
      await connectivity.meter.save().catch(() => undefined)
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
