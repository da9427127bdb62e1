import type { LifeState, LifeStatus } from '../../contract/node-api.ts'
import { LIMITS } from '../../shared/limits.ts'
import { networkKind } from '../connectivity/choose.ts'
import type { NetworkInfo, PhoneInfo } from '../ports.ts'
import { nextState, type LifeEvent } from './states.ts'

/** Follows the life of the app: what a phone does to it, and what the node does then. */
export interface Lifecycle {
  status(): LifeStatus
  /** The network is up for the first time. */
  started(): void
  stop(): void
}

export interface LifecycleInit {
  phone: PhoneInfo
  network: NetworkInfo
  /** Puts all that has arrived on the disk. */
  checkpoint(): Promise<unknown>
  /** Finds out which connections live, drops the dead, makes new ones. Resolves when that is known of each. */
  wake(): Promise<unknown>
  /** Whether nobody has looked for longer than a quick flip. */
  onAway(long: boolean): void
  onChange(): void
  now?: () => number
}

export function createLifecycle(init: LifecycleInit): Lifecycle {
  return new NodeLife(init)
}

class NodeLife implements Lifecycle {
  readonly #init: LifecycleInit
  readonly #now: () => number
  readonly #stops: (() => void)[]
  #state: LifeState = 'starting'
  #since: number
  /** Since when nobody looks. */
  #awaySince: number | undefined
  /** Whether the network is another one, or was gone, since then. */
  #movedAway = false
  #awayTimer: ReturnType<typeof setTimeout> | undefined
  #beat: ReturnType<typeof setInterval>
  #beatAt: number
  #kind: ReturnType<typeof networkKind>
  #checkpoint: Pick<LifeStatus, 'checkpointMs' | 'checkpointAt'> = {}
  #wakeMs: number | undefined

  constructor(init: LifecycleInit) {
    this.#init = init
    this.#now = init.now ?? (() => Date.now())
    this.#since = this.#beatAt = this.#now()
    this.#kind = networkKind(init.phone.state())
    this.#stops = [
      init.phone.watch(() => this.#look()),
      init.network.watch((online) => this.#happen(online ? 'online' : 'offline')),
    ]
    this.#beat = setInterval(() => this.#tick(), LIMITS.lifeBeatMs)
  }

  status(): LifeStatus {
    return {
      state: this.#state,
      since: this.#since,
      ...this.#checkpoint,
      ...(this.#wakeMs === undefined ? {} : { wakeMs: this.#wakeMs }),
    }
  }

  started(): void {
    this.#happen('started')
    this.#look()
  }

  stop(): void {
    for (const stop of this.#stops) stop()
    clearInterval(this.#beat)
    clearTimeout(this.#awayTimer)
    this.#happen('stop')
  }

  #look(): void {
    const { phone } = this.#init
    const state = phone.state()
    const kind = networkKind(state, this.#kind)
    const moved = kind !== this.#kind
    this.#kind = kind
    // A worker that stood still hears of the page before its own clock beats.
    this.#tick()
    if (state.visibility !== 'visible') {
      this.#happen(state.visibility)
      if (moved) this.#happen('moved')
      return
    }
    if (this.#awaySince !== undefined) {
      const away = this.#now() - this.#awaySince
      // A clock that was set back tells nothing: it may have been long.
      const quick = away >= 0 && away < LIMITS.quickFlipMs
      this.#happen(quick && !this.#movedAway ? 'shown' : 'shown-late')
    }
    if (moved) this.#happen('moved')
  }

  #tick(): void {
    const late = this.#now() - this.#beatAt - LIMITS.lifeBeatMs
    this.#beatAt = this.#now()
    if (late >= LIMITS.suspendedMs) this.#jumped()
  }

  #jumped(): void {
    this.#happen('jumped')
    // A page that was in front all the time, as when the screen of a laptop was shut, is so now.
    if (this.#init.phone.state().visibility === 'visible') this.#happen('shown-late')
  }

  #happen(event: LifeEvent): void {
    if (event === 'moved' || event === 'online') this.#movedAway ||= this.#awaySince !== undefined
    const before = this.#state
    const state = nextState(before, event)
    if (state === before) return
    this.#state = state
    this.#since = this.#now()
    this.#init.onChange()
    switch (state) {
      case 'hidden':
      case 'frozen':
        return this.#leave()
      case 'active':
        this.#return()
        // What was told while nobody listened.
        if (!this.#init.network.online()) this.#happen('offline')
        return
      case 'waking':
        this.#return()
        void this.#wake()
        return
      case 'offline':
        return this.#return()
      default:
    }
  }

  #leave(): void {
    if (this.#awaySince !== undefined) return
    this.#awaySince = this.#now()
    this.#awayTimer = setTimeout(() => this.#init.onAway(true), LIMITS.quickFlipMs)
    void this.#save()
  }

  #return(): void {
    this.#awaySince = undefined
    this.#movedAway = false
    clearTimeout(this.#awayTimer)
    this.#init.onAway(false)
  }

  async #save(): Promise<void> {
    const began = performance.now()
    try {
      await this.#init.checkpoint()
      this.#checkpoint = { checkpointMs: round(performance.now() - began), checkpointAt: this.#now() }
    } catch {
      // The transfers' own checkpoints, or their end, say what is wrong with the store.
    }
    this.#init.onChange()
  }

  async #wake(): Promise<void> {
    const began = performance.now()
    const since = this.#since
    await this.#init.wake().catch(() => undefined)
    // Another wake may have begun meanwhile.
    if (this.#state !== 'waking' || this.#since !== since) return
    this.#wakeMs = round(performance.now() - began)
    this.#happen('woken')
  }
}

const round = (ms: number): number => Math.round(ms * 10) / 10
