import * as dagPb from '@ipld/dag-pb'
import type { Connection, Libp2p } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { isPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockSource } from '../content/block-source.ts'
import { decodeUnixfs } from '../content/unixfs.ts'
import { decodeNode, keyOf } from '../content/walk.ts'
import { HTTP_PROTOCOL } from '../gateway/http-head.ts'
import { isDirect } from '../network/peers.ts'
import { fetchCar, type CarFetch } from './car-fetch.ts'
import { missingWindows, type Window } from './windows.ts'

export interface AccelerateInit {
  libp2p: Libp2p
  source: BlockSource
  put: CarFetch['put']
}

export interface AccelerateOptions {
  signal: AbortSignal
  /** Whether this DAG was tried before. */
  again: boolean
  onBlock: CarFetch['onBlock']
}

export interface Accelerator {
  /**
   * Brings as much of a DAG, whose root is in the store, as peers that speak HTTP over libp2p give, in CARs. Best effort:
   * what is missing afterwards is for the walk over Bitswap. Rejects for an abort and for storage failures only.
   */
  run(root: CID, options: AccelerateOptions): Promise<void>
}

/**
 * Files go in windows, several under way at once: a stream of @libp2p/webrtc has no read back-pressure, so what is
 * asked for bounds what can pile up here, and a dead peer costs one window. So do small folders; of a large one the files
 * are asked for one by one, and what is a single block is left to the walk.
 */
export function createAccelerator({ libp2p, source, put }: AccelerateInit): Accelerator {
  async function bring(root: CID, options: AccelerateOptions, seen: Set<string>): Promise<void> {
    const { signal, again, onBlock } = options
    if (root.code !== dagPb.code || seen.has(keyOf(root)) || signal.aborted) return
    seen.add(keyOf(root))
    const bytes = await source.get(root, { signal, patienceMs: LIMITS.askAgainMs })
    onBlock(root, bytes)
    const node = decodeNode(root, bytes)
    if (!decodeUnixfs(root, node).isDirectory()) {
      await fetchParts(root, await missingWindows(root, source, signal), options)
      return
    }
    const size = node.Links.reduce((sum, { Tsize = 0 }) => sum + Tsize, 0)
    // After a failure the walk brings what is missing of it, not the whole again.
    if (size <= LIMITS.carWindowBytes) await fetchParts(root, again ? [] : ['all'], options)
    else for (const { Hash } of node.Links) await bring(Hash, options, seen)
  }

  async function fetchParts(
    root: CID,
    parts: (Window | 'all')[],
    { signal, onBlock }: AccelerateOptions,
  ): Promise<void> {
    if (parts.length === 0) return
    // Each connection takes the next part when it has room: the faster carries more.
    const lanes = (await speakers(libp2p)).flatMap((connection) =>
      Array<Connection>(LIMITS.carStreams).fill(connection),
    )
    await Promise.all(
      lanes.map(async (connection) => {
        for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
          try {
            await fetchCar({ connection, root, ...(part === 'all' ? {} : { range: part }), signal, put, onBlock })
          } catch (error) {
            if (signal.aborted || isFatal(error)) throw error
            // This peer does not have it, lies or is gone: its part is another's, or the walk's.
            parts.push(part)
            return
          }
        }
      }),
    )
  }

  return {
    async run(root, options) {
      if (root.code !== dagPb.code || (await speakers(libp2p)).length === 0) return
      try {
        await bring(root, options, new Set())
      } catch (error) {
        // What cannot be had or read, the walk will say.
        if (!isPocketError(error, 'ERR_NOT_FOUND') && !isPocketError(error, 'ERR_INVALID_BLOCK')) throw error
      }
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
    if (known === undefined || (!isDirect(known.remoteAddr) && isDirect(connection.remoteAddr))) {
      best.set(key, connection)
    }
  }
  const speaking = await Promise.all(
    [...best.values()].map(async (connection) => {
      const peer = await libp2p.peerStore.get(connection.remotePeer).catch(() => undefined)
      return peer?.protocols.includes(HTTP_PROTOCOL) === true ? connection : undefined
    }),
  )
  return speaking.filter((connection) => connection !== undefined)
}
