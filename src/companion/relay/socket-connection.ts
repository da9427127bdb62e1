import { AbstractMultiaddrConnection } from '@libp2p/utils'
import type { AbortOptions, Logger, MultiaddrConnection } from '@libp2p/interface'
import type { SendResult } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Uint8ArrayList } from 'uint8arraylist'
import type { RawData, WebSocket } from 'ws'

/**
 * Bytes that may wait in a socket before the sender is held back. Enough for 100 Mbit/s at 80 ms; times 2,048 phones
 * it is still 2 GiB at worst, where js-libp2p's 4 MiB would be 8.
 */
const HIGH_WATER = 1024 * 1024
const LOW_WATER = HIGH_WATER / 4

export interface SocketConnectionInit {
  socket: WebSocket
  /** Where the phone is, as far as it is known: not the proxy's address. */
  remoteAddr: Multiaddr
  log: Logger
}

/**
 * A server's WebSocket as libp2p's raw connection. `@libp2p/websockets` has one of its own, but only behind a listener with
 * a port of its own, which sees every client at the address of whatever is in front of it; nor does it slow down a peer
 * that sends faster than its data can be passed on.
 */
export function createSocketConnection(init: SocketConnectionInit): MultiaddrConnection {
  return new SocketConnection(init)
}

class SocketConnection extends AbstractMultiaddrConnection {
  readonly #socket: WebSocket

  constructor({ socket, remoteAddr, log }: SocketConnectionInit) {
    super({ remoteAddr, log, direction: 'inbound' })
    this.#socket = socket
    socket.binaryType = 'nodebuffer'
    socket.on('message', (data: RawData, isBinary: boolean) => {
      if (!isBinary || !Buffer.isBuffer(data)) {
        this.abort(new Error('libp2p sends binary messages only'))
        return
      }
      // libp2p slices what it gets, which means something else for a Buffer than for a Uint8Array.
      this.onData(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    })
    // A message too large, bad UTF-8, a reset: 'close' follows.
    socket.on('error', (error) => log('socket error - %s', error.message))
    socket.once('close', (code) => {
      if (code === 1000 || code === 1001 || code === 1005) this.onTransportClosed()
      else if (this.status === 'open' || this.status === 'closing') this.onRemoteReset()
    })
  }

  override sendData(data: Uint8ArrayList): SendResult {
    for (const chunk of data) this.#socket.send(chunk, { binary: true }, this.#onSent)
    return { sentBytes: data.byteLength, canSendMore: this.#socket.bufferedAmount < HIGH_WATER }
  }

  readonly #onSent = (): void => {
    if (this.writableNeedsDrain && this.#socket.bufferedAmount <= LOW_WATER) this.safeDispatchEvent('drain')
  }

  override sendReset(): void {
    this.#socket.terminate()
  }

  override async sendClose(_options?: AbortOptions): Promise<void> {
    this.#socket.close()
  }

  override sendPause(): void {
    this.#socket.pause()
  }

  override sendResume(): void {
    this.#socket.resume()
  }
}
