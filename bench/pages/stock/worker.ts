/**
 * The stock library: Helia as `createHelia` makes it, its libp2p without bootstrap peers or discovery, over blockstore-idb, with the
 * importer and exporter that its UnixFS uses. It makes the same blocks as ours (IPIP-499 `unixfs-v1-2025`).
 */
import { IDBBlockstore } from 'blockstore-idb'
import { createHelia } from 'helia'
import { exporter } from 'ipfs-unixfs-exporter'
import { importer, type ImporterOptions } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import type { Blockstore } from 'interface-blockstore'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { answer } from '../answer.ts'

const GARBAGE = 10_000
const FILES = 1_000
const FILE_BYTES = 10 * 1024

let added: { cid: CID; size: number } | undefined
let node: Promise<ReturnType<typeof createHelia>> | undefined

answer({
  async start() {
    const start = performance.now()
    await helia()
    return performance.now() - start
  },

  async startInMemory() {
    const start = performance.now()
    node = startOver({})
    await node
    return performance.now() - start
  },

  add: (file) => addFile(file, {}),

  /** Kubo's default before IPIP-499, and Helia's. */
  addSmallChunks: (file) => addFile(file, { chunker: fixedSize({ chunkSize: 256 * 1024 }) }),

  async addFolder() {
    const files = Array.from({ length: FILES }, (_, index) => ({
      path: `folder/${index}.bin`,
      file: new Blob([crypto.getRandomValues(new Uint8Array(FILE_BYTES))]),
    }))
    const { blockstore } = await helia()
    const candidates = files.map(({ path, file }) => ({ path, content: chunks(file.stream()) }))
    const start = performance.now()
    let entries = 0
    for await (const _ of importer(candidates, blockstore, { profile: 'unixfs-v1-2025' })) {
      void _
      entries++
    }
    if (entries !== FILES + 1) throw new Error(`${entries} entries for ${FILES} files and their folder`)
    return performance.now() - start
  },

  async pin() {
    if (added === undefined) throw new Error('add first')
    const { pins } = await helia()
    const start = performance.now()
    for await (const _ of pins.add(added.cid)) void _
    return performance.now() - start
  },

  /** Blocks that nothing needs. */
  async putBlocks() {
    const { blockstore } = await helia()
    const start = performance.now()
    for (let at = 0; at < GARBAGE; at += 100) {
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          const bytes = crypto.getRandomValues(new Uint8Array(1024))
          return blockstore.put(CID.createV1(raw.code, await sha256.digest(bytes)), bytes)
        }),
      )
    }
    return performance.now() - start
  },

  async gc() {
    const node = await helia()
    const start = performance.now()
    await node.gc()
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

async function addFile(file: File, options: Pick<ImporterOptions, 'chunker'>): Promise<number> {
  const { blockstore } = await helia()
  const start = performance.now()
  for await (const { cid } of importer([{ path: 'file', content: chunks(file.stream()) }], blockstore, {
    profile: 'unixfs-v1-2025',
    ...options,
  })) {
    added = { cid, size: file.size }
  }
  return performance.now() - start
}

function helia(): Promise<ReturnType<typeof createHelia>> {
  node ??= startPersistent()
  return node
}

async function startPersistent(): Promise<ReturnType<typeof createHelia>> {
  const blockstore = new IDBBlockstore('stock')
  await blockstore.open()
  return startOver({ blockstore })
}

/** Without a blockstore Helia keeps blocks in memory. */
async function startOver(store: { blockstore?: Blockstore }): Promise<ReturnType<typeof createHelia>> {
  const helia = createHelia({ ...store, libp2p: { addresses: { listen: [] }, peerDiscovery: [], config: 'merge' } })
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
