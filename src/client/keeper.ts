import { PocketError, toPocketError } from '../shared/errors.ts'
import { abortable, delay } from './clock.ts'
import type { Ladder, LostHost } from './ladder.ts'
import { openSession, type Session } from './session.ts'

/** Keeps this page at a host: when one is lost, finds or starts the next. */
export interface Keeper {
  /**
   * The session of now, or the next one.
   * @throws PocketError ERR_CLOSED, ERR_ABORTED, or why no host can be had
   */
  session(signal?: AbortSignal): Promise<Session>
  /** Calls back with each change, and returns what stops it. */
  watch(listener: (state: 'lost' | 'ready') => void): () => void
  /** Lets go of the host while the page is put away; those who ask for a session wait for `resume`. */
  suspend(): void
  resume(): void
  close(): void
}

export interface KeeperInit {
  ladder: Ladder
  relays(): string[]
  /** A session has begun: what the host must be told. */
  onSession(session: Session): void
}

/** Between tries to get a host back while nobody asks for one, in ms: the node may need the network or storage. */
const RETRY_MS = 2_000

export function createKeeper(init: KeeperInit): Keeper {
  return new HostKeeper(init)
}

class HostKeeper implements Keeper {
  readonly #init: KeeperInit
  readonly #listeners = new Set<(state: 'lost' | 'ready') => void>()
  /** Fires when the page is put away or the client closed. */
  #awake = new AbortController()
  #asleep: PromiseWithResolvers<void> | undefined
  #closed = false
  /** Kept as long as its session lives, so that two who ask at once get the same one. */
  #session: Promise<Session> | undefined
  #current: Session | undefined
  #lost: LostHost | undefined

  constructor(init: KeeperInit) {
    this.#init = init
  }

  async session(signal?: AbortSignal): Promise<Session> {
    for (;;) {
      if (this.#closed) throw new PocketError('ERR_CLOSED')
      try {
        if (this.#asleep !== undefined) await abortable(this.#asleep.promise, signal)
        return await abortable((this.#session ??= this.#attach()), signal)
      } catch (error) {
        // Put away in the middle: asked for again when the page is back.
        if (signal?.aborted === true || (this.#asleep === undefined && !this.#closed)) throw error
      }
    }
  }

  watch(listener: (state: 'lost' | 'ready') => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  suspend(): void {
    if (this.#asleep !== undefined || this.#closed) return
    this.#asleep = Promise.withResolvers()
    this.#letGo(new PocketError('ERR_HOST_LOST'))
    this.#tell('lost')
  }

  resume(): void {
    if (this.#asleep === undefined || this.#closed) return
    this.#awake = new AbortController()
    this.#asleep.resolve()
    this.#asleep = undefined
    void this.#recover()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#listeners.clear()
    this.#asleep?.resolve()
    this.#letGo(new PocketError('ERR_CLOSED'))
  }

  async #attach(): Promise<Session> {
    const { signal } = this.#awake
    try {
      const attached = await this.#init.ladder.attach(this.#init.relays(), this.#lost, signal)
      if (signal.aborted) {
        attached.detach()
        throw toPocketError(signal.reason, 'ERR_ABORTED')
      }
      const session = openSession(attached, (lost) => this.#replace(lost))
      this.#current = session
      this.#lost = undefined
      this.#init.onSession(session)
      this.#tell('ready')
      return session
    } catch (error) {
      // The next who asks tries again. A page that was put away meanwhile has a later try to keep.
      if (!signal.aborted) this.#session = undefined
      throw error
    }
  }

  #replace(lost: LostHost): void {
    this.#session = undefined
    this.#current = undefined
    this.#lost = lost
    this.#tell('lost')
    void this.#recover()
  }

  /** Watchers and those who lend WebRTC want a host before the next call does. */
  async #recover(): Promise<void> {
    const { signal } = this.#awake
    while (!signal.aborted) {
      try {
        await (this.#session ??= this.#attach())
        return
      } catch {
        await delay(RETRY_MS, signal)
      }
    }
  }

  #letGo(reason: PocketError): void {
    this.#awake.abort(reason)
    this.#current?.close(reason)
    this.#current = undefined
    this.#session = undefined
    this.#init.ladder.rest()
  }

  #tell(state: 'lost' | 'ready'): void {
    for (const listener of this.#listeners) listener(state)
  }
}
