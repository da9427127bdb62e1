import type { Connection, Metrics, MultiaddrConnection, Stream } from '@libp2p/interface'
import type { DataCount } from '../../contract/node-api.ts'
import type { Meter } from './meter.ts'

/** What every message stream of libp2p has and its interface does not tell: where the bytes come in. */
interface Counted {
  send: (data: { byteLength: number }) => boolean
  onData: (data: { byteLength: number }) => void
}

const none = (): undefined => undefined
/** libp2p's counters of everything else: not kept. */
const NOTHING = { update: none, increment: none, decrement: none, reset: none, observe: none, timer: () => none }

/**
 * libp2p's metrics interface, for the bytes alone. A WebSocket is counted whole. WebRTC and WebTransport carry each stream by
 * itself, past libp2p's own muxer: there the streams are. The bytes of a circuit are in its relay's WebSocket already,
 * and only move from the relay's account to the peer's.
 */
export function byteMetrics(meter: Meter, connections: () => Connection[]): Metrics {
  const register = (): typeof NOTHING => NOTHING
  return {
    trackMultiaddrConnection(connection: MultiaddrConnection) {
      const names = connection.remoteAddr.getComponents()
      if (names.some(({ name }) => isNative(name))) return
      const peers = names.filter(({ name }) => name === 'p2p').map(({ value = '' }) => value)
      const peer = meter.peer(peers.at(-1) ?? connection.remoteAddr.toString())
      if (!names.some(({ name }) => name === 'p2p-circuit')) {
        return tap(connection, (direction, bytes) => {
          meter.count(direction, bytes)
          peer[direction] += bytes
        })
      }
      const relay = meter.peer(peers[0] ?? '')
      tap(connection, (direction, bytes) => {
        peer[direction] += bytes
        relay[direction] -= bytes
      })
    },
    trackProtocolStream(stream: Stream) {
      const connection = connections().find(({ streams }) => streams.includes(stream))
      if (connection?.remoteAddr.getComponents().some(({ name }) => isNative(name)) !== true) return
      const peer = meter.peer(connection.remotePeer.toString())
      tap(stream, (direction, bytes) => {
        meter.count(direction, bytes)
        peer[direction] += bytes
      })
    },
    registerMetric: register,
    registerMetricGroup: register,
    registerCounter: register,
    registerCounterGroup: register,
    registerHistogram: register,
    registerHistogramGroup: register,
    registerSummary: register,
    registerSummaryGroup: register,
    // Typed as one of three overloads, all of which give back what they take.
    traceFunction: ((_name: string, run: unknown) => run) as Metrics['traceFunction'],
    createTrace: none,
  }
}

const isNative = (name: string): boolean => name === 'webrtc' || name === 'webrtc-direct' || name === 'webtransport'

/** Not a listener of `message`: with one, libp2p gives it what comes before the real one listens. */
function tap(stream: MultiaddrConnection | Stream, count: (direction: keyof DataCount, bytes: number) => void): void {
  const tapped = stream as unknown as Counted
  const { send, onData } = tapped
  tapped.send = (data) => {
    count('out', data.byteLength)
    return send.call(stream, data)
  }
  tapped.onData = (data) => {
    count('in', data.byteLength)
    onData.call(stream, data)
  }
}
