/**
 * Another node under Node that has content and counts what it sends: Helia with Bitswap, and this project's gateway over
 * libp2p streams, listening for WebSocket on the loopback interface.
 */
import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import { createHeliaLight } from 'helia'
import { importBytes } from 'ipfs-unixfs-importer'
import type { CID } from 'multiformats/cid'
import { createBlockSource } from '../../src/core/content/block-source.ts'
import { createGateway } from '../../src/core/gateway/http-server.ts'
import { HTTP_PROTOCOL } from '../../src/core/gateway/http-head.ts'
import { createBlockstore, createMemoryBlockTable } from '../../src/core/storage/index.ts'
import { listening } from './listening.ts'

export interface CountingPeer {
  /** `/ip4/127.0.0.1/tcp/<port>/ws/p2p/<peer id>` */
  readonly multiaddr: string
  /** Has this content from now on, and no other; the count begins anew. Resolves with the CID. */
  offer(bytes: Uint8Array): Promise<string>
  /** Sends so many more bytes, and then nothing until the next call. No limit before the first. */
  allow(more: number): void
  /** Whether all that it may send is sent. */
  exhausted(): boolean
  /** Bytes of blocks read to be sent, and of the blocks in the store. */
  count(): { sent: number; stored: number }
  stop(): Promise<void>
}

/** @param maxBytes of the largest content that it is to have */
export async function startCountingPeer(maxBytes: number): Promise<CountingPeer> {
  const blocks = await createBlockstore(createMemoryBlockTable(undefined, { maxBytes: maxBytes * 1.1 }))
  let sent = 0
  let allowed = Infinity
  let raised = Promise.withResolvers<void>()
  const read = blocks.get.bind(blocks)
  blocks.get = async function* (cid: CID) {
    for await (const bytes of read(cid)) {
      while (sent >= allowed) await raised.promise
      sent += bytes.byteLength
      yield bytes
    }
  }
  const light = withLibp2pLight(createHeliaLight({ blockstore: blocks }), listening())
  const helia = withBitswap(light)
  await helia.start()
  const gateway = createGateway(createBlockSource({ networked: blocks, local: blocks }))
  await helia.libp2p.handle(HTTP_PROTOCOL, (stream, connection) => void gateway.serve(stream, connection), {
    maxInboundStreams: 64,
  })
  return {
    multiaddr: String(helia.libp2p.getMultiaddrs()[0]),
    async offer(bytes) {
      const old: CID[] = []
      for await (const { cid } of blocks.getAll()) old.push(cid)
      for await (const _ of blocks.deleteMany(old));
      const { cid } = await importBytes(bytes, blocks, { profile: 'unixfs-v1-2025' })
      sent = 0
      allowed = Infinity
      return cid.toString()
    },
    allow(more) {
      allowed = sent + more
      raised.resolve()
      raised = Promise.withResolvers()
    },
    exhausted: () => sent >= allowed,
    count: () => ({ sent, stored: blocks.stat().bytes }),
    stop: async () => {
      await helia.stop()
    },
  }
}
