/**
 * The stock library: Helia as `createHelia` makes it, its libp2p without bootstrap peers or discovery, over blockstore-idb, with the
 * importer and exporter that its UnixFS uses. It makes the same blocks as ours (IPIP-499 `unixfs-v1-2025`).
 */
import { IDBBlockstore } from 'blockstore-idb'
import { createHelia } from 'helia'
import { exporter } from 'ipfs-unixfs-exporter'
import { importer } from 'ipfs-unixfs-importer'
import type { CID } from 'multiformats/cid'
import { answer } from '../answer.ts'

let added: { cid: CID; size: number } | undefined
let node: Promise<ReturnType<typeof createHelia>> | undefined

answer({
  async start() {
    const start = performance.now()
    await helia()
    return performance.now() - start
  },

  async add(file) {
    const { blockstore } = await helia()
    const start = performance.now()
    for await (const { cid } of importer([{ path: 'file', content: chunks(file.stream()) }], blockstore, {
      profile: 'unixfs-v1-2025',
    })) {
      added = { cid, size: file.size }
    }
    return performance.now() - start
  },

  async cat() {
    if (added === undefined) throw new Error('add first')
    const { blockstore } = await helia()
    const start = performance.now()
    const entry = await exporter(added.cid, blockstore)
    let total = 0
    if (entry.type !== 'file') throw new Error(`a file was added, found ${entry.type}`)
    for await (const chunk of entry.content()) total += chunk.byteLength
    if (total !== added.size) throw new Error(`read ${total} of ${added.size} bytes`)
    return performance.now() - start
  },
})

function helia(): Promise<ReturnType<typeof createHelia>> {
  node ??= start()
  return node
}

async function start(): Promise<ReturnType<typeof createHelia>> {
  const blockstore = new IDBBlockstore('stock')
  await blockstore.open()
  const helia = createHelia({ blockstore, libp2p: { addresses: { listen: [] }, peerDiscovery: [], config: 'merge' } })
  await helia.start()
  return helia
}

async function* chunks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}
