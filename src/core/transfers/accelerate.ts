import * as dagPb from '@ipld/dag-pb'
import type { Connection, Libp2p } from '@libp2p/interface'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import { isPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockSource } from '../content/block-source.ts'
import { decodeNode } from '../content/walk.ts'
import { HTTP_PROTOCOL } from '../gateway/http-head.ts'
import { isDirect } from '../network/peers.ts'
import { fetchCar, type CarFetch } from './car-fetch.ts'

export interface AccelerateInit {
  libp2p: Libp2p
  source: BlockSource
  put: CarFetch['put']
}

export interface Accelerator {
  /**
   * Brings as much of a DAG into the store as peers that speak HTTP over libp2p give, in CARs. Best effort: what is
   * missing afterwards is for the walk over Bitswap. Rejects for an abort and for storage failures only.
   */
  run(root: CID, options: { signal: AbortSignal; onBlock: CarFetch['onBlock'] }): Promise<void>
}

/**
 * Files go in windows, several under way at once: a stream of @libp2p/webrtc has no read back-pressure, so what is
 * asked for bounds what can pile up here, and a dead peer costs one window.
 */
export function createAccelerator({ libp2p, source, put }: AccelerateInit): Accelerator {
  return {
    async run(root, { signal, onBlock }) {
      if (root.code !== dagPb.code) return
      const connections = await speakers(libp2p)
      if (connections.length === 0) return
      const windows = await windowsOf(root, source, signal)
      // Each connection takes the next window when it has room: the faster carries more.
      const lanes = connections.flatMap((connection) => Array<Connection>(LIMITS.carStreams).fill(connection))
      await Promise.all(
        lanes.map(async (connection) => {
          for (let range = windows.shift(); range !== undefined; range = windows.shift()) {
            try {
              await fetchCar({ connection, root, ...(range === 'all' ? {} : { range }), signal, put, onBlock })
            } catch (error) {
              if (signal.aborted || isFatal(error)) throw error
              // This peer does not have it, lies or is gone: its window is another's, or the walk's.
              windows.push(range)
              return
            }
          }
        }),
      )
    },
  }
}

function isFatal(error: unknown): boolean {
  return isPocketError(error) && (error.code === 'ERR_QUOTA_EXCEEDED' || error.code.startsWith('ERR_STORAGE'))
}

/** One connection for each peer that speaks HTTP over libp2p, the direct one where there are two. */
async function speakers(libp2p: Libp2p): Promise<Connection[]> {
  const best = new Map<string, Connection>()
  for (const connection of libp2p.getConnections()) {
    if (connection.status !== 'open') continue
    const key = connection.remotePeer.toString()
    const known = best.get(key)
    if (known === undefined || (!isDirect(known.remoteAddr) && isDirect(connection.remoteAddr)))
      best.set(key, connection)
  }
  const speaking = await Promise.all(
    [...best.values()].map(async (connection) => {
      const peer = await libp2p.peerStore.get(connection.remotePeer).catch(() => undefined)
      return peer?.protocols.includes(HTTP_PROTOCOL) === true ? connection : undefined
    }),
  )
  return speaking.filter((connection) => connection !== undefined)
}

type Window = 'all' | { from: number; to: number }

/** The parts of a file of which something is missing; a folder is one part. */
async function windowsOf(root: CID, source: BlockSource, signal: AbortSignal): Promise<Window[]> {
  const node = decodeNode(root, await source.get(root, { signal }))
  const unixfs = node.Data === undefined ? undefined : UnixFS.unmarshal(node.Data)
  if (unixfs === undefined || unixfs.isDirectory()) return ['all']
  const windows: Window[] = []
  let start = unixfs.data?.byteLength ?? 0
  let open: { from: number; to: number } | undefined
  for (const [at, { Hash }] of node.Links.entries()) {
    const size = Number(unixfs.blockSizes[at] ?? 0)
    if (await source.has(Hash)) open = undefined
    else if (open === undefined || start + size - open.from > LIMITS.carWindowBytes) {
      open = { from: start, to: start + size - 1 }
      windows.push(open)
    } else open.to = start + size - 1
    start += size
  }
  return windows
}
