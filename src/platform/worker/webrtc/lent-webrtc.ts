import type { PortLike } from '../../../contract/port.ts'
import type { WebRtcInfo } from '../../../core/ports.ts'
import { PocketError } from '../../../shared/errors.ts'
import { LentDataChannel } from './data-channel.ts'
import { LentChannelEvent, LentErrorEvent, LentIceErrorEvent, LentIceEvent } from './events.ts'
import { LentIceCandidate } from './ice-candidate.ts'
import { Lender } from './lender.ts'
import { peerConnectionClass, type PeerConnectionClass } from './peer-connection.ts'
import { LentSessionDescription } from './session-description.ts'

export interface LentWebRtc extends WebRtcInfo {
  /** The globals of WebRTC that the worker lacks. Before anything that reads them is evaluated. */
  install(scope: object): void
  /** A page offers WebRTC over this port, which is taken over. */
  attach(port: PortLike): void
  /** Whether this browser's pages have WebRTC at all, as far as is known: until a page says no, yes. */
  setSupported(supported: boolean): void
  readonly RTCPeerConnection: PeerConnectionClass
}

/** WebRTC for a worker, borrowed from pages: new connections go to the page attached last that is willing and answers. */
export function createLentWebRtc(): LentWebRtc {
  return new Borrower()
}

class Borrower implements LentWebRtc {
  readonly RTCPeerConnection: PeerConnectionClass = peerConnectionClass(() => this.#pick())
  readonly #lenders = new Set<Lender>()
  readonly #listeners = new Set<() => void>()
  #supported = true
  #native = false
  #told = this.state()

  install(scope: object): void {
    // A browser whose workers have WebRTC themselves (w3c/webrtc-pc#3131) needs nothing of this.
    this.#native = 'RTCPeerConnection' in scope
    if (this.#native) return this.#tell()
    const globals = {
      RTCPeerConnection: this.RTCPeerConnection,
      RTCSessionDescription: LentSessionDescription,
      RTCIceCandidate: LentIceCandidate,
      RTCDataChannel: LentDataChannel,
      RTCPeerConnectionIceEvent: LentIceEvent,
      RTCPeerConnectionIceErrorEvent: LentIceErrorEvent,
      RTCDataChannelEvent: LentChannelEvent,
      RTCErrorEvent: LentErrorEvent,
    }
    for (const [name, value] of Object.entries(globals)) {
      Object.defineProperty(scope, name, { value, configurable: true, writable: true })
    }
  }

  attach(port: PortLike): void {
    const lender = new Lender(port, {
      onChange: () => this.#review(),
      onLost: (lost) => {
        this.#lenders.delete(lost)
        this.#tell()
      },
    })
    this.#lenders.add(lender)
  }

  setSupported(supported: boolean): void {
    this.#supported = supported
    this.#tell()
  }

  state(): ReturnType<WebRtcInfo['state']> {
    if (this.#native || this.#pick() !== undefined) return 'available'
    return this.#supported ? 'no-page' : 'unsupported'
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #pick(): Lender | undefined {
    const usable = [...this.#lenders].filter((lender) => lender.usable).reverse()
    return usable.find((lender) => lender.willing) ?? usable[0]
  }

  /**
   * A silent page may be frozen for a second or for good, with all its connections in order. They are kept until there
   * is a page to make better ones: else the node would go on using those that pass nothing on.
   */
  #review(): void {
    const lenders = [...this.#lenders]
    const rescue = lenders.some((lender) => lender.usable && lender.willing)
    for (const lender of lenders.filter(({ silent }) => silent)) {
      if (rescue) lender.lose(new PocketError('ERR_NO_WEBRTC', 'The page that lent this connection froze'))
      else lender.failUnestablished()
    }
    this.#tell()
  }

  #tell(): void {
    const state = this.state()
    if (state === this.#told) return
    this.#told = state
    for (const listener of [...this.#listeners]) listener()
  }
}
