import type { NodeService, NodeStatus } from '../contract/node-api.ts'
import { LIMITS } from '../shared/limits.ts'
import { createCarApi } from './car/car-api.ts'
import { createBlockSource } from './content/block-source.ts'
import { createLibrary } from './content/library.ts'
import { openPinSet, type PinSet } from './content/pins.ts'
import { createReader } from './content/read.ts'
import { createEventHub } from './events.ts'
import { HTTP_PROTOCOL } from './gateway/http-head.ts'
import { createGateway } from './gateway/http-server.ts'
import { createPocketHelia, type PocketHelia } from './helia.ts'
import { loadIdentity } from './identity.ts'
import { createAddressPolicy, type AddressPolicy } from './network/address-policy.ts'
import { createDialer } from './network/dialer.ts'
import { createFollowed } from './network/followed.ts'
import { libp2pOptions } from './network/libp2p.ts'
import { createRelayList, type RelayList } from './network/relay-list.ts'
import { createRelays } from './network/relays.ts'
import type { HostPorts } from './ports.ts'
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
