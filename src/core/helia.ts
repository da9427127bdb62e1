import { withBitswap } from '@helia/bitswap'
import type { HeliaWithLibp2p } from '@helia/libp2p'
import { createHeliaLight } from 'helia'
import type { Blockstore } from 'interface-blockstore'
import type { Datastore } from 'interface-datastore'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { LIMITS } from '../shared/limits.ts'
import type { NetworkServices } from './network/libp2p.ts'
import { useOpenConnections } from './network/open-connections.ts'
import { supersedeOldConnections } from './network/supersede.ts'

export type PocketHelia = HeliaWithLibp2p<NetworkServices>

export interface PocketHeliaInit {
  blocks: Blockstore
  datastore: Datastore
  options: Libp2pOptions<NetworkServices>
}

/**
 * Helia over our stores and our libp2p, with Bitswap, not started. What @helia/libp2p's `withLibp2pLight` does is done
 * here: its package brings a key store with it that loads keys from PEM files (70 KB of the bundle), and a content
 * router for a DHT that this node does not have.
 */
export async function createPocketHelia({ blocks, datastore, options }: PocketHeliaInit): Promise<PocketHelia> {
  const libp2p = await createLibp2p({ ...options, start: false })
  useOpenConnections(libp2p)
  supersedeOldConnections(libp2p)
  const helia = Object.assign(createHeliaLight({ blockstore: blocks, datastore }), { libp2p })
  helia.addMixin({
    name: 'libp2p',
    start: async () => libp2p.start(),
    stop: async () => libp2p.stop(),
  })
  return withBitswap<NetworkServices>(helia, {
    // Where no direct connection comes about (no WebRTC, no way through a NAT), the file itself goes through the relay.
    runOnLimitedConnections: true,
    messageSendTimeout: LIMITS.bitswapMessageTimeoutMs,
    messageReceiveTimeout: LIMITS.bitswapMessageTimeoutMs,
    sendBlocksTimeout: LIMITS.bitswapMessageTimeoutMs,
  })
}
