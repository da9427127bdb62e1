import type {
  DataApi,
  DataCaps,
  DataUsage,
  NetworkKind,
  ProfileApi,
  ProfileChoice,
  ProfileName,
  ProfileState,
} from '../../contract/node-api.ts'
import { PocketError } from '../../shared/errors.ts'
import type { NetworkInfo, PhoneInfo, StateTable } from '../ports.ts'
import { chooseProfile, networkKind } from './choose.ts'
import { openMeter, type Meter } from './meter.ts'
import { PROFILES, type Profile } from './profiles.ts'

/** Decides what the node may spend: by the person's word, the network, the battery and the caps. */
export interface Connectivity {
  readonly profile: ProfileApi
  readonly data: DataApi
  readonly meter: Meter
  /** The network as the node may use it: none while it is to be quiet. */
  readonly network: NetworkInfo
  state(): ProfileState
  /** What the present profile allows. */
  allows(): Profile
  /** Why nothing may be fetched now, if so. */
  blocked(): PocketError | undefined
  /** Whether all pages have been hidden for longer than a quick flip. */
  away(long: boolean): void
  /** Calls back when `state` has become another one; returns what stops it. */
  watch(listener: () => void): () => void
  stop(): void
}

export interface ConnectivityInit {
  state: Pick<StateTable, 'get' | 'set' | 'batch'>
  network: NetworkInfo
  phone: PhoneInfo
  /** Fixed for a node that a service worker was woken for. */
  fixed?: Extract<ProfileName, 'wake'> | undefined
  now?: () => number
}

const CHOICE = 'settings:profile'
const CAPS = 'settings:data-caps'
/** Counts are put on the disk so long after they changed, in ms: what a kill may forget of them. */
const SAVE_MS = 15_000
/** While a cap is reached, whether its period is over is looked at so often, in ms. */
const CAP_LOOK_MS = 30_000

export async function createConnectivity(init: ConnectivityInit): Promise<Connectivity> {
  const { state: table, network, phone, fixed, now } = init
  const [savedChoice, savedCaps] = await Promise.all([table.get(CHOICE), table.get(CAPS)])
  const listeners = new Set<() => void>()
  const networkListeners = new Set<(online: boolean) => void>()
  let choice: ProfileChoice = isChoice(savedChoice) ? savedChoice : 'auto'
  let caps: DataCaps = readCaps(savedCaps)
  let away = false
  let lastKind: NetworkKind = 'unknown'
  const kindOfNow = (): NetworkKind => (lastKind = networkKind(phone.state(), lastKind))
  let saveTimer: ReturnType<typeof setTimeout> | undefined
  let capTimer: ReturnType<typeof setTimeout> | undefined

  const meter = await openMeter({
    state: table,
    kind: kindOfNow,
    onCount() {
      saveTimer ??= setTimeout(() => {
        saveTimer = undefined
        void meter.save().catch(() => undefined)
      }, SAVE_MS)
      if (caps.day !== undefined || caps.month !== undefined) review()
    },
    ...(now === undefined ? {} : { now }),
  })

  const capped = (): ProfileState['capped'] => {
    if (caps.day === undefined && caps.month === undefined) return undefined
    const kind = kindOfNow()
    if (kind === 'wifi' || kind === 'ethernet') return undefined
    const { day, month } = meter.usage()
    if (month.counted >= (caps.month ?? Infinity)) return 'month'
    return day.counted >= (caps.day ?? Infinity) ? 'day' : undefined
  }
  const decide = (online: boolean): Pick<ProfileState, 'profile' | 'reason'> =>
    fixed === undefined
      ? chooseProfile(choice, { ...phone.state(), kind: kindOfNow(), online })
      : { profile: fixed, reason: 'wake' }
  const compute = (): ProfileState => {
    // No network is no reason to let go of anything: it may be back in a moment, or the browser may be wrong.
    const { profile, reason } = decide(true)
    const cap = capped()
    const quiet =
      profile === 'offline'
        ? 'chosen'
        : cap !== undefined
          ? 'data-cap'
          : away && !PROFILES[profile].background
            ? 'hidden'
            : undefined
    return {
      choice,
      ...(network.online() ? { profile, reason } : decide(false)),
      network: kindOfNow(),
      ...(quiet === undefined ? {} : { quiet }),
      ...(cap === undefined ? {} : { capped: cap }),
    }
  }
  let current = compute()
  let online = network.online() && current.quiet === undefined

  /** Nothing is counted at a cap, so that nothing tells when its period is over. */
  function awaitPeriod({ capped: period }: ProfileState): void {
    clearTimeout(capTimer)
    if (period !== undefined) capTimer = setTimeout(review, CAP_LOOK_MS)
  }

  function review(): void {
    const next = compute()
    awaitPeriod(next)
    const changed = JSON.stringify(next) !== JSON.stringify(current)
    current = next
    const was = online
    online = network.online() && next.quiet === undefined
    // First who lets go of connections, then who would make new ones.
    if (changed) for (const listener of [...listeners]) listener()
    if (online !== was) for (const listener of [...networkListeners]) listener(online)
  }

  awaitPeriod(current)
  const stops = [network.watch(review), phone.watch(review)]
  const usage = (): DataUsage => ({ caps, ...meter.usage() })
  return {
    meter,
    profile: {
      get: async () => current,
      async set(wanted) {
        if (!isChoice(wanted)) throw invalid('choice')
        await table.set(CHOICE, wanted)
        choice = wanted
        review()
        return current
      },
    },
    data: {
      usage: async () => usage(),
      async setCaps(wanted) {
        const read = readCaps(wanted)
        if (read.day !== wanted.day || read.month !== wanted.month) throw invalid('caps')
        await table.set(CAPS, read)
        caps = read
        review()
        return usage()
      },
    },
    network: {
      // Asked, not remembered: the browser's word may have changed without an event.
      online: () => network.online() && current.quiet === undefined,
      watch(listener) {
        networkListeners.add(listener)
        return () => void networkListeners.delete(listener)
      },
    },
    state: () => current,
    allows: () => PROFILES[decide(true).profile],
    blocked() {
      const { quiet, capped: period } = current
      if (quiet === 'data-cap')
        return new PocketError('ERR_DATA_CAP', undefined, { detail: { period: period ?? 'day' } })
      if (quiet === 'hidden') return new PocketError('ERR_SAVING_DATA')
      if (quiet === 'chosen')
        return new PocketError('ERR_OFFLINE', 'The node was set to offline', { detail: { chosen: true } })
      return network.online() ? undefined : new PocketError('ERR_OFFLINE')
    },
    away(long) {
      if (away === long) return
      away = long
      review()
    },
    watch(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    stop() {
      for (const stop of stops) stop()
      clearTimeout(saveTimer)
      clearTimeout(capTimer)
    },
  }
}

const CHOICES: readonly unknown[] = ['auto', 'full', 'saver', 'offline'] satisfies ProfileChoice[]

const isChoice = (value: unknown): value is ProfileChoice => CHOICES.includes(value)

/** What is no cap counts as none. */
function readCaps(value: unknown): DataCaps {
  const { day, month } = (typeof value === 'object' && value !== null ? value : {}) as DataCaps
  const isCap = (size: unknown): size is number => Number.isSafeInteger(size) && (size as number) > 0
  return { ...(isCap(day) ? { day } : {}), ...(isCap(month) ? { month } : {}) }
}

function invalid(argument: string): PocketError {
  return new PocketError('ERR_INVALID_ARGUMENT', `${argument} has the wrong shape`, { detail: { argument } })
}
