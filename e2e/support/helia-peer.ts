/** A stranger's node: plain Helia under Node, listening for WebSocket on the loopback interface. */
import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import { createHeliaLight } from 'helia'
import { exporter } from 'ipfs-unixfs-exporter'
import { importBytes } from 'ipfs-unixfs-importer'
import { CID } from 'multiformats/cid'
import { sha256 } from './files.ts'
import { listening } from './listening.ts'

export interface HeliaPeer {
  readonly peerId: string
  /** `/ip4/127.0.0.1/tcp/<port>/ws/p2p/<peer id>` */
  readonly multiaddr: string
  /** Resolves with the CID. */
  add(bytes: Uint8Array): Promise<string>
  /** Fetches the file from whoever is connected; resolves with the SHA-256 of its content in hex. */
  fetchSha256(cid: string, timeoutMs: number): Promise<string>
  stop(): Promise<void>
}

export async function startHeliaPeer(): Promise<HeliaPeer> {
  const light = withLibp2pLight(createHeliaLight(), listening())
  const helia = withBitswap(light)
  await helia.start()
  const [multiaddr] = helia.libp2p.getMultiaddrs()
  return {
    peerId: helia.libp2p.peerId.toString(),
    multiaddr: String(multiaddr),
    add: async (bytes) => (await importBytes(bytes, helia.blockstore)).cid.toString(),
    fetchSha256: async (cid, timeoutMs) => {
      const signal = AbortSignal.timeout(timeoutMs)
      const entry = await exporter(CID.parse(cid), helia.blockstore, { signal })
      if (!('content' in entry)) throw new Error(`${cid} is no file`)
      const chunks: Uint8Array[] = []
      for await (const chunk of entry.content({ signal })) chunks.push(chunk)
      return sha256(Buffer.concat(chunks))
    },
    stop: async () => {
      await helia.stop()
    },
  }
}
