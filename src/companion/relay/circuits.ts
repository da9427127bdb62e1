import { RELAY_V2_HOP_CODEC, RELAY_V2_STOP_CODEC } from '@libp2p/circuit-relay-v2'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { lpStream } from '@libp2p/utils'
import { varint } from 'multiformats'
import * as Digest from 'multiformats/hashes/digest'
import { clientKey, createCounter } from '../server/address-limits.ts'
import { STATUS, decodeConnect, decodeStopStatus, encodeHopStatus, encodeStopConnect } from './circuit-wire.ts'
import { joinStreams } from './join-streams.ts'
import type { CircuitRelayServerComponents, CircuitRelayService } from '@libp2p/circuit-relay-v2'
import type { Connection, PeerId, Stream, StreamHandler } from '@libp2p/interface'
import type { LengthPrefixedStream } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { CompanionConfig } from '../config.ts'
import type { CircuitLimit, Status } from './circuit-wire.ts'

export type CircuitsConfig = Pick<
  CompanionConfig,
  | 'circuitBytes'
  | 'circuitSeconds'
  | 'maxCircuits'
  | 'maxCircuitsPerAddress'
  | 'maxCircuitsPerPeer'
  | 'upgradeTimeoutMs'
>

type ServiceFactory = (components: CircuitRelayServerComponents) => CircuitRelayService

/** A message that connects or reserves is some hundred bytes; go-libp2p takes 4 KiB. */
const MAX_MESSAGE_BYTES = 4096

/**
 * js-libp2p's relay, with circuits of our own. Its reservations are kept; its circuits (`@libp2p/circuit-relay-v2` 4.2.13) are
 * made for 128 KiB: `pipe(src, dst, src)` copies all that the caller sends into a second queue that nobody reads, so a circuit of
 * 1 GiB holds 1 GiB until it closes (measured: 256 MiB sent, 256 MiB held), and neither direction has back-pressure.
 * Can go when upstream passes on data without keeping it.
 */
export function withCircuits(service: ServiceFactory, config: CircuitsConfig): ServiceFactory {
  return (components) => {
    const { registrar } = components
    const intercepted: typeof registrar = Object.create(registrar, {
      handle: {
        value: (protocol: string, handler: StreamHandler, options: object) => {
          const circuits = createCircuits({ components, reserve: handler, relay, config })
          return registrar.handle(protocol, protocol === RELAY_V2_HOP_CODEC ? circuits : handler, options)
        },
      },
    }) as typeof registrar
    const relay = service(
      new Proxy(components, {
        get: (target, name, receiver) =>
          name === 'registrar' ? intercepted : (Reflect.get(target, name, receiver) as unknown),
      }),
    )
    return relay
  }
}

interface CircuitsInit {
  components: CircuitRelayServerComponents
  /** js-libp2p's own handler: answers RESERVE. */
  reserve: StreamHandler
  relay: CircuitRelayService
  config: CircuitsConfig
}

function createCircuits({ components, reserve, relay, config }: CircuitsInit): StreamHandler {
  const limit: CircuitLimit = { seconds: config.circuitSeconds, bytes: config.circuitBytes }
  const callers = createCounter(config.maxCircuits, config.maxCircuitsPerPeer)
  const callersAt = createCounter(config.maxCircuits, config.maxCircuitsPerAddress)
  const called = createCounter(config.maxCircuits, config.maxCircuitsPerPeer)
  const log = components.logger.forComponent('pocket:companion:circuits')

  const connect = async (
    { remotePeer: caller, remoteAddr }: Connection,
    id: Uint8Array,
    request: LengthPrefixedStream<Stream>,
  ): Promise<void> => {
    const timeout = AbortSignal.timeout(config.upgradeTimeoutMs)
    const answer = async (status: Status): Promise<void> => {
      await request.write(encodeHopStatus(status, status === STATUS.OK ? limit : undefined), { signal: timeout })
    }
    const refuse = async (status: Status): Promise<void> => {
      await answer(status)
      await request.unwrap().close({ signal: timeout })
    }
    const target = peerIdFromMultihash(Digest.decode(id))
    const connection = openConnection(components.connectionManager.getConnections(target))
    if (connection === undefined || relay.reservations.get(target) === undefined) return refuse(STATUS.NO_RESERVATION)
    const places = [
      callers.take(caller.toString()),
      callersAt.take(clientKey(addressOf(remoteAddr))),
      called.take(target.toString()),
    ]
    const release = (): void => places.forEach((give) => give?.())
    if (places.includes(undefined)) {
      release()
      return refuse(STATUS.RESOURCE_LIMIT_EXCEEDED)
    }
    try {
      const stopped = await callTarget(connection, caller, timeout).catch((error: unknown) => {
        log('%p does not answer a call - %s', target, String(error))
      })
      if (stopped === undefined) return await refuse(STATUS.CONNECTION_FAILED)
      try {
        await answer(STATUS.OK)
      } catch (error) {
        stopped.abort(error instanceof Error ? error : new Error(String(error)))
        throw error
      }
      await joinStreams(request.unwrap(), stopped, limit)
    } finally {
      release()
    }
  }

  /** The stream to the called peer once it has accepted. */
  const callTarget = async (
    connection: Connection,
    caller: PeerId,
    timeout: AbortSignal,
  ): Promise<Stream | undefined> => {
    const stream = await connection.newStream(RELAY_V2_STOP_CODEC, {
      signal: timeout,
      runOnLimitedConnection: true,
      maxOutboundStreams: config.maxCircuitsPerPeer,
    })
    try {
      const call = lpStream(stream, { maxDataLength: MAX_MESSAGE_BYTES })
      await call.write(encodeStopConnect(caller.toMultihash().bytes, limit), { signal: timeout })
      const status = decodeStopStatus((await call.read({ signal: timeout })).subarray())
      if (status === STATUS.OK) return call.unwrap()
      throw new Error(`refused with status ${status ?? 'none'}`)
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  }

  return async (stream, connection) => {
    try {
      const request = lpStream(stream, { maxDataLength: MAX_MESSAGE_BYTES })
      const message = await request.read({ signal: AbortSignal.timeout(config.upgradeTimeoutMs) })
      const id = decodeConnect(message.subarray())
      if (id !== undefined) return await connect(connection, id, request)
      request.unwrap()
      // Back to where it was: the handler reads it again from the start.
      message.prepend(varint.encodeTo(message.byteLength, new Uint8Array(varint.encodingLength(message.byteLength))))
      stream.unshift(message)
      await reserve(stream, connection)
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    }
  }
}

/** `/ip4/<address>/…`: the client's own also behind a trusted proxy (upgrade-transport.ts). */
function addressOf(remoteAddr: Multiaddr): string {
  return remoteAddr.toString().split('/')[2] ?? ''
}

/** The newest that is open: a phone that came back over another network is not behind its old one. */
function openConnection(connections: Connection[]): Connection | undefined {
  return connections.findLast(({ status }) => status === 'open')
}
