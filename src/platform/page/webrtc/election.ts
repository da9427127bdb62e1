import { LENDER_LOCK } from '../../../contract/host-link.ts'
import { LIMITS } from '../../../shared/limits.ts'

export interface ElectionInit {
  /** This page lends now. */
  onWon(): void
  /** It is hidden, another page has taken over, or it goes. */
  onLost(): void
}

/** Pages that wait ask who lends; one that is frozen does not answer. */
type Word = 'who' | 'me'

/**
 * One visible page at a time holds LENDER_LOCK. A page that is hidden lets it go at once, since it may be frozen any
 * moment; from one that does not answer (hung, or frozen while it was visible) the lock is stolen.
 */
export class Election {
  readonly #init: ElectionInit
  readonly #channel = new BroadcastChannel(LENDER_LOCK)
  readonly #over = new AbortController()
  #round: AbortController | undefined
  #release: (() => void) | undefined
  #asked: ReturnType<typeof setTimeout> | undefined

  constructor(init: ElectionInit) {
    this.#init = init
    this.#channel.onmessage = ({ data }: MessageEvent<Word>) => this.#hear(data)
    const { signal } = this.#over
    document.addEventListener('visibilitychange', () => this.#follow(), { signal })
    this.#follow()
  }

  close(): void {
    if (this.#over.signal.aborted) return
    this.#over.abort()
    this.#follow()
    this.#channel.close()
  }

  /** Takes part while the page is visible, and not otherwise. */
  #follow(): void {
    const takesPart = document.visibilityState === 'visible' && !this.#over.signal.aborted
    if (takesPart && this.#round === undefined) this.#compete()
    else if (!takesPart) this.#withdraw()
  }

  #compete(steal = false): void {
    const round = new AbortController()
    this.#round = round
    const hold = (): Promise<void> | undefined => {
      if (round.signal.aborted) return
      clearTimeout(this.#asked)
      return new Promise<void>((release) => {
        this.#release = release
        // Who asked before this moment had no answer.
        this.#say('me')
        this.#init.onWon()
      })
    }
    // A request that steals takes no signal.
    navigator.locks.request(LENDER_LOCK, steal ? { steal } : { signal: round.signal }, hold).catch(() => {
      if (this.#round !== round) return
      // Stolen, while this page was frozen or hung: it is one among others now.
      this.#withdraw()
      this.#follow()
    })
    if (!steal) this.#ask(round)
  }

  #withdraw(): void {
    const held = this.#release !== undefined
    clearTimeout(this.#asked)
    this.#round?.abort()
    this.#round = undefined
    this.#release?.()
    this.#release = undefined
    if (held) this.#init.onLost()
  }

  /** Asks who lends; where nobody answers in time, takes the lock. */
  #ask(round: AbortController): void {
    this.#say('who')
    this.#asked = setTimeout(() => {
      round.abort()
      this.#compete(true)
    }, LIMITS.lenderAnswerMs)
  }

  #hear(word: Word): void {
    const round = this.#round
    const holds = this.#release !== undefined
    if (word === 'who' && holds) this.#say('me')
    if (word !== 'me' || holds || round === undefined) return
    clearTimeout(this.#asked)
    this.#asked = setTimeout(() => this.#ask(round), LIMITS.lenderAskMs)
  }

  #say(word: Word): void {
    this.#channel.postMessage(word)
  }
}
