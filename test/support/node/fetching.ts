import { addContent } from './add-content.ts'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import type { CID } from 'multiformats/cid'
import type { FetchProgress, FetchSource } from '../../../src/contract/node-api.ts'
import { createBlockSource, type BlockSource } from '../../../src/core/content/block-source.ts'
import { fetchDag } from '../../../src/core/content/fetch.ts'
import { HTTP_PROTOCOL } from '../../../src/core/gateway/http-head.ts'
import { createGateway } from '../../../src/core/gateway/http-server.ts'
import { createBlockstore, createMemoryBlockTable, type PocketBlockstore } from '../../../src/core/storage/index.ts'
import { createSources } from '../../../src/core/transfers/sources/index.ts'
import { webFetch } from '../../../src/platform/worker/web-fetch.ts'

export interface Store {
  blocks: PocketBlockstore
  source: BlockSource
  add(source: Parameters<typeof addContent>[0]): Promise<CID>
}

export async function createStore(): Promise<Store> {
  const blocks = await createBlockstore(createMemoryBlockTable(undefined, { maxBytes: 1024 ** 3 }))
  return {
    blocks,
    source: createBlockSource({ networked: blocks, local: blocks }),
    add: async (content) =>
      (await addContent(content, { blocks, signal: new AbortController().signal, onProgress: () => undefined })).cid,
  }
}

/** A libp2p node; with `serve`, one that others fetch from over `/http/1.1`. */
export async function createHost(serve?: Store): Promise<Libp2p & AsyncDisposable> {
  const host = await createLibp2p({
    addresses: { listen: serve === undefined ? [] : ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  })
  if (serve !== undefined) {
    const gateway = createGateway(serve.source)
    await host.handle(HTTP_PROTOCOL, (stream, connection) => void gateway.serve(stream, connection))
  }
  return Object.assign(host, { [Symbol.asyncDispose]: async () => host.stop() })
}

export interface Fetched {
  progress: FetchProgress
  /** What was told of each source last. */
  sources: Map<string, FetchSource>
}

export interface FetchSetup {
  to: Store
  libp2p: Libp2p
  from?: string[]
  patienceMs?: number
  signal?: AbortSignal
  onProgress?: (progress: FetchProgress) => void
}

/** fetchDag over real libp2p and HTTP, blocks in memory. */
export async function fetchInto(root: CID, setup: FetchSetup): Promise<Fetched> {
  const { to, libp2p, from = [], patienceMs = 8000, signal = AbortSignal.timeout(20_000) } = setup
  const sources = createSources({
    libp2p,
    fetch: webFetch,
    source: to.source,
    blocks: to.blocks,
    reach: (addrs) => libp2p.dial(addrs),
    patienceMs,
  })
  const told = new Map<string, FetchSource>()
  let last: FetchProgress = { bytes: 0 }
  await fetchDag(
    root,
    { source: to.source, sources },
    {
      signal,
      from,
      onProgress(progress) {
        last = progress
        for (const source of progress.sources ?? []) told.set(source.id, source)
        setup.onProgress?.(progress)
      },
    },
  )
  return { progress: last, sources: told }
}
