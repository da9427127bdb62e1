import { TypedEventEmitter, transportSymbol } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { createSocketConnection } from './socket-connection.ts'
import { PocketError } from '../../shared/errors.ts'
import type {
  ComponentLogger,
  Connection,
  CreateListenerOptions,
  Listener,
  ListenerEvents,
  Logger,
  Transport,
  Upgrader,
} from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { WebSocket } from 'ws'
import type { ClientAddress } from '../server/client-address.ts'

/** The companion's own port as a libp2p transport: it opens none itself, upgraded sockets are handed in. */
export interface UpgradeTransport {
  create(components: { logger: ComponentLogger }): Transport
  /** Resolves when the libp2p hand-shake of this socket has succeeded; rejects, with the socket closed, when not. */
  accept(socket: WebSocket, client: ClientAddress): Promise<void>
  /** Tells libp2p that `addresses` gives others now. */
  addressesChanged(): void
}

/** Stands for 'the HTTP server's port' in libp2p's list of listeners. */
export const LISTEN_MARKER = '/ip4/0.0.0.0/tcp/0/ws'

export function createUpgradeTransport(addresses: () => Multiaddr[]): UpgradeTransport {
  let listener: UpgradeListener | undefined
  return {
    create: (components) => ({
      [transportSymbol]: true,
      [Symbol.toStringTag]: '@pocket-ipfs/upgrade-transport',
      createListener(options) {
        listener = new UpgradeListener(components.logger, options, addresses)
        return listener
      },
      listenFilter: (multiaddrs) => multiaddrs.filter((address) => address.toString() === LISTEN_MARKER),
      // The companion is called, it calls nobody.
      dialFilter: () => [],
      dial: refuseToDial,
    }),
    async accept(socket, client) {
      if (listener === undefined) {
        socket.terminate()
        throw new PocketError('ERR_CLOSED', 'The relay is not running')
      }
      await listener.accept(socket, client)
    },
    addressesChanged() {
      listener?.safeDispatchEvent('listening')
    },
  }
}

async function refuseToDial(): Promise<Connection> {
  throw new PocketError('ERR_DIAL_FAILED', 'The companion dials nobody')
}

class UpgradeListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #log: Logger
  readonly #upgrader: Upgrader
  readonly #addresses: () => Multiaddr[]
  readonly #closing = new AbortController()

  constructor(logger: ComponentLogger, options: CreateListenerOptions, addresses: () => Multiaddr[]) {
    super()
    this.#log = logger.forComponent('pocket:companion:upgrade')
    this.#upgrader = options.upgrader
    this.#addresses = addresses
  }

  async listen(): Promise<void> {
    this.safeDispatchEvent('listening')
  }

  getAddrs(): Multiaddr[] {
    return this.#addresses()
  }

  updateAnnounceAddrs(): void {
    // They are complete as they are.
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.safeDispatchEvent('close')
  }

  async accept(socket: WebSocket, client: ClientAddress): Promise<void> {
    const connection = createSocketConnection({ socket, remoteAddr: toMultiaddr(client), log: this.#log })
    try {
      await this.#upgrader.upgradeInbound(connection, { signal: this.#closing.signal })
    } catch (error) {
      this.#log('hand-shake with %s failed - %s', client.address, String(error))
      connection.abort(error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  }
}

function toMultiaddr({ address, port }: ClientAddress): Multiaddr {
  const family = address.includes(':') ? 'ip6' : 'ip4'
  return multiaddr(`/${family}/${address.replace(/%.*$/, '')}/tcp/${port}/ws`)
}
