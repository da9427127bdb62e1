import type { Connection } from '@libp2p/interface'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'

/** https://github.com/libp2p/specs/blob/master/ping/ping.md */
const PING_PROTOCOL = '/ipfs/ping/1.0.0'
const PING_BYTES = 32

/** Questions under way: a second wake within the time of the first joins it, since peers take two pings at a time. */
const asked = new WeakMap<Connection, Promise<boolean>>()

/** How long an answer may take on a network of this round trip, in ms. */
export function probeTimeout(rtt: number | undefined): number {
  // Not told: the middle, in which a phone on 3G answers.
  if (rtt === undefined) return (LIMITS.minProbeMs + LIMITS.maxProbeMs) / 3
  return Math.min(LIMITS.maxProbeMs, Math.max(LIMITS.minProbeMs, 3 * rtt))
}

/** Asks every connection whether it lives, and drops at once those that do not answer. Resolves with how many. */
export async function dropDead(connections: Connection[], timeoutMs: number): Promise<number> {
  const lives = await Promise.all(connections.map((connection) => ask(connection, timeoutMs)))
  return lives.filter((alive) => !alive).length
}

function ask(connection: Connection, timeoutMs: number): Promise<boolean> {
  const underWay = asked.get(connection)
  if (underWay !== undefined) return underWay
  const answer = probe(connection, timeoutMs).finally(() => asked.delete(connection))
  asked.set(connection, answer)
  return answer
}

async function probe(connection: Connection, timeoutMs: number): Promise<boolean> {
  const signal = AbortSignal.timeout(timeoutMs)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  // By a race: what a dead transport is asked may not heed its signal.
  signal.addEventListener('abort', () => resolve(false))
  void ping(connection, signal).then(
    () => resolve(true),
    // An answer too, if only that it speaks no ping.
    () => resolve(!signal.aborted && connection.status === 'open'),
  )
  const alive = await promise
  if (!alive) connection.abort(new PocketError('ERR_TIMEOUT', 'The connection did not survive the sleep'))
  return alive
}

async function ping(connection: Connection, signal: AbortSignal): Promise<void> {
  const stream = await connection.newStream(PING_PROTOCOL, { signal, runOnLimitedConnection: true })
  try {
    stream.send(crypto.getRandomValues(new Uint8Array(PING_BYTES)))
    // Whatever comes back: it is here to come.
    for await (const _ of stream) break
  } finally {
    stream.abort(new PocketError('ERR_ABORTED'))
  }
}
