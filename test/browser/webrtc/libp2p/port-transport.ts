import {
  serviceCapabilities,
  transportSymbol,
  TypedEventEmitter,
  type ComponentLogger,
  type Connection,
  type CreateListenerOptions,
  type DialTransportOptions,
  type Listener,
  type ListenerEvents,
  type Logger,
  type Transport,
} from '@libp2p/interface'
import { AbstractMultiaddrConnection, type SendResult } from '@libp2p/utils'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import type { Uint8ArrayList } from 'uint8arraylist'

/** What the address of the relay looks like: circuits are built on it. */
export const RELAY_ADDR = multiaddr('/ip4/127.0.0.1/tcp/4001/ws')

export interface PortTransportInit {
  /** The other end goes to the relay. */
  dial?: () => MessagePort
  /** Called with what takes the ports of those who dial. */
  onListening?: (accept: (port: MessagePort) => void) => void
}

/** A libp2p transport over message ports: a browser's relay for workers of the same browser. */
export function portTransport(init: PortTransportInit): (components: { logger: ComponentLogger }) => Transport {
  return ({ logger }) => new PortTransport(init, logger.forComponent('test:port'))
}

class PortTransport implements Transport {
  readonly [transportSymbol] = true
  readonly [Symbol.toStringTag] = 'test-port'
  readonly [serviceCapabilities] = ['@libp2p/transport']
  readonly #init: PortTransportInit
  readonly #log: Logger

  constructor(init: PortTransportInit, log: Logger) {
    this.#init = init
    this.#log = log
  }

  async dial(addr: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    const port = this.#init.dial?.()
    if (port === undefined) throw new Error('This end only listens')
    const init = { remoteAddr: addr, direction: 'outbound', log: this.#log } as const
    return options.upgrader.upgradeOutbound(new PortConnection(port, init), options)
  }

  createListener({ upgrader }: CreateListenerOptions): Listener {
    const listener = new PortListener()
    this.#init.onListening?.((port) => {
      const init = { remoteAddr: RELAY_ADDR, direction: 'inbound', log: this.#log } as const
      upgrader
        .upgradeInbound(new PortConnection(port, init), { signal: AbortSignal.timeout(10_000) })
        .catch((error: unknown) => this.#log.error('inbound failed - %e', error))
    })
    return listener
  }

  readonly #mine = (addr: Multiaddr): boolean => !addr.getComponents().some(({ name }) => name === 'p2p-circuit')
  listenFilter = (addrs: Multiaddr[]): Multiaddr[] => addrs.filter(this.#mine)
  dialFilter = (addrs: Multiaddr[]): Multiaddr[] => addrs.filter(this.#mine)
}

class PortListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  async listen(): Promise<void> {
    this.safeDispatchEvent('listening')
  }

  getAddrs(): Multiaddr[] {
    return [RELAY_ADDR]
  }

  updateAnnounceAddrs(): void {
    // The address is the same wherever it is announced.
  }

  async close(): Promise<void> {
    this.safeDispatchEvent('close')
  }
}

type PortConnectionInit = ConstructorParameters<typeof AbstractMultiaddrConnection>[0]

class PortConnection extends AbstractMultiaddrConnection {
  readonly #port: MessagePort

  constructor(port: MessagePort, init: PortConnectionInit) {
    super(init)
    this.#port = port
    port.onmessage = ({ data }: MessageEvent<Uint8Array | null>) => {
      if (data === null) this.onTransportClosed()
      else this.onData(data)
    }
  }

  sendData(data: Uint8ArrayList): SendResult {
    this.#port.postMessage(data.subarray())
    return { sentBytes: data.byteLength, canSendMore: true }
  }

  async sendClose(): Promise<void> {
    this.#port.postMessage(null)
  }

  sendReset(): void {
    this.#port.postMessage(null)
  }

  sendPause(): void {
    // A relay for tests keeps what it cannot pass on.
  }

  sendResume(): void {
    // See sendPause.
  }
}
