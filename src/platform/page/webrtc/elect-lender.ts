import type { PortLike } from '../../../contract/port.ts'
import { lenderLock } from '../../../contract/webrtc-lending.ts'
import { LIMITS } from '../../../shared/limits.ts'
import { Election } from './election.ts'
import { lendWebRtc, type Lending } from './lend.ts'

export interface ElectLenderInit {
  /**
   * Makes a channel to the host, gives it one end and returns the other; `undefined` while there is no host. Called
   * when this page is elected, and again after `renew`.
   */
  offer(): PortLike | undefined
  RTCPeerConnection?: typeof RTCPeerConnection
}

export interface LenderElection {
  /** The host is gone, or there is another one, or the first: what was lent to the one before is closed. */
  renew(): void
  close(): void
}

/**
 * Takes part in the election of the page that lends its WebRTC, and lends when elected. A page that is hidden goes on
 * with the connections it has, as long as it lives; new ones are made by the page that is elected after it.
 */
export function electLender(init: ElectLenderInit): LenderElection {
  return new Candidate(init)
}

class Candidate implements LenderElection {
  readonly #init: ElectLenderInit
  readonly #over = new AbortController()
  #election: Election | undefined
  #elected = false
  /** Elected once, a page is of use when it is hidden, too. */
  #hasLent = false
  #lending: Lending | undefined
  /** Ends the lending that is, or the one that waits for its lock. */
  #stop: (() => void) | undefined

  constructor(init: ElectLenderInit) {
    this.#init = init
    const { signal } = this.#over
    // An open RTCPeerConnection and a held lock both keep a page out of the back/forward cache.
    addEventListener('pagehide', () => this.#leave(), { signal })
    addEventListener('pageshow', () => this.#enter(), { signal })
    this.#enter()
  }

  renew(): void {
    this.#stop?.()
    if (this.#elected || this.#hasLent) this.#lend()
  }

  close(): void {
    this.#over.abort()
    this.#leave()
  }

  #enter(): void {
    this.#election ??= new Election({
      onWon: () => {
        this.#elected = true
        this.#lending?.setWilling(true)
        this.#lend()
      },
      onLost: () => {
        this.#elected = false
        this.#lending?.setWilling(false)
      },
    })
  }

  #leave(): void {
    this.#election?.close()
    this.#election = undefined
    this.#elected = this.#hasLent = false
    this.#stop?.()
  }

  /** The worker has ended the lending, perhaps since this page hung for a while; or it was ended here. */
  #ended(end: () => void): void {
    end()
    setTimeout(() => {
      if (this.#elected) this.#lend()
    }, LIMITS.lenderAnswerMs)
  }

  /** Unless it does already. */
  #lend(): void {
    if (this.#stop !== undefined) return
    this.#hasLent = true
    const lenderId = crypto.randomUUID()
    let stopped = false
    let release: (() => void) | undefined
    const end = (): void => {
      stopped = true
      release?.()
      if (this.#stop !== stop) return
      this.#stop = undefined
      this.#lending = undefined
    }
    const stop = (): void => {
      end()
      lending?.close()
    }
    let lending: Lending | undefined
    this.#stop = stop
    const hold = (): Promise<void> | undefined => {
      const port = stopped ? undefined : this.#init.offer()
      if (port === undefined) return void end()
      const { RTCPeerConnection } = this.#init
      return new Promise<void>((resolve) => {
        release = resolve
        lending = lendWebRtc(port, {
          lenderId,
          onClose: () => this.#ended(end),
          ...(RTCPeerConnection && { RTCPeerConnection }),
        })
        if (!this.#elected) lending.setWilling(false)
        this.#lending = lending
      })
    }
    // The worker waits for this lock: when it is free, this page is gone.
    navigator.locks.request(lenderLock(lenderId), hold).catch(end)
  }
}
