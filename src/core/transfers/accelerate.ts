import * as dagPb from '@ipld/dag-pb'
import type { Connection, Libp2p } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { isPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockSource } from '../content/block-source.ts'
import { HTTP_PROTOCOL } from '../gateway/http-head.ts'
import { isDirect } from '../network/peers.ts'
import { fetchCar, type CarFetch } from './car-fetch.ts'
import { missingWindows, type Window } from './windows.ts'

export interface AccelerateInit {
  libp2p: Libp2p
  source: BlockSource
  put: CarFetch['put']
}

export interface Accelerator {
  /**
   * Brings as much of a DAG, whose root is in the store, as peers that speak HTTP over libp2p give, in CARs. Best effort:
   * what is missing afterwards is for the walk over Bitswap. Rejects for an abort and for storage failures only.
   * @param options.again whether this DAG was tried before
   */
  run(root: CID, options: { signal: AbortSignal; again: boolean; onBlock: CarFetch['onBlock'] }): Promise<void>
}

/**
 * Files go in windows, several under way at once: a stream of @libp2p/webrtc has no read back-pressure, so what is
 * asked for bounds what can pile up here, and a dead peer costs one window.
 */
export function createAccelerator({ libp2p, source, put }: AccelerateInit): Accelerator {
  return {
    async run(root, { signal, again, onBlock }) {
      if (root.code !== dagPb.code) return
      const connections = await speakers(libp2p)
      if (connections.length === 0) return
      // A folder is one request: after a failure the walk brings what is missing of it, not the whole again.
      const windows: (Window | 'all')[] = (await missingWindows(root, source)) ?? (again ? [] : ['all'])
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
