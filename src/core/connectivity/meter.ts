import type { DataCount, DataPeriod, DataUsage, NetworkKind } from '../../contract/node-api.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { StateTable } from '../ports.ts'

/** Counts what is sent and received, by day, kind of network and peer. In memory; `save` puts it on the disk. */
export interface Meter {
  /** What a peer's bytes are counted on. Cheap to hold, and to add to. */
  peer(id: string): DataCount
  /** So many bytes went over the network of now. */
  count(direction: keyof DataCount, bytes: number): void
  usage(): Omit<DataUsage, 'caps'>
  save(): Promise<void>
}

export interface MeterInit {
  state: Pick<StateTable, 'get' | 'batch'>
  kind: () => NetworkKind
  /** Called after counting, once a second at most. */
  onCount: () => void
  now?: () => number
}

type Day = Partial<Record<NetworkKind, DataCount>>

interface Peer {
  count: DataCount
  /** What it had moved when it was last looked at. */
  seen: number
}

const KEY = 'data:days'
const KINDS: NetworkKind[] = ['wifi', 'cellular', 'ethernet', 'unknown']
/** What a person pays for, or may: where the browser does not tell, it is counted. */
const COUNTED = new Set<NetworkKind>(['cellular', 'unknown'])
/** Which day it is is looked up so often, in ms. */
const LOOK_MS = 1_000

export async function openMeter({ state, kind, onCount, now = () => Date.now() }: MeterInit): Promise<Meter> {
  const days = readDays(await state.get(KEY))
  /** The one whose bytes are the longest ago comes first. */
  const peers = new Map<string, Peer>()
  let bucket: DataCount = { in: 0, out: 0 }
  let lookAt = 0
  let dirty = false

  /** The counts of this day and network: when the clock is set back, those of that earlier day go on. */
  function look(): void {
    const key = dayOf(now())
    let day = days.get(key)
    if (day === undefined) {
      days.set(key, (day = {}))
      for (const old of [...days.keys()].sort().slice(0, -LIMITS.meteredDays)) days.delete(old)
    }
    bucket = day[kind()] ??= { in: 0, out: 0 }
  }

  /** Whoever holds a count adds to it without a word: who moved bytes since the last look goes to the end. */
  function order(): void {
    for (const [id, peer] of [...peers]) {
      if (moved(peer.count) === peer.seen) continue
      peer.seen = moved(peer.count)
      peers.delete(id)
      peers.set(id, peer)
    }
  }

  function sum(of: (key: string) => boolean): DataPeriod {
    const counts = KINDS.map((each): [NetworkKind, DataCount] => {
      const total = { in: 0, out: 0 }
      for (const [key, day] of days) {
        if (!of(key)) continue
        total.in += day[each]?.in ?? 0
        total.out += day[each]?.out ?? 0
      }
      return [each, total]
    })
    const counted = counts.reduce((all, [each, { in: i, out }]) => all + (COUNTED.has(each) ? i + out : 0), 0)
    return { ...(Object.fromEntries(counts) as Record<NetworkKind, DataCount>), counted }
  }

  return {
    peer(id) {
      const peer = peers.get(id) ?? { count: { in: 0, out: 0 }, seen: 0 }
      peers.delete(id)
      if (peers.size >= LIMITS.maxMeteredPeers) {
        order()
        for (const oldest of peers.keys()) {
          peers.delete(oldest)
          break
        }
      }
      peers.set(id, peer)
      return peer.count
    },
    count(direction, bytes) {
      const time = now()
      const due = time >= lookAt || time < lookAt - LOOK_MS
      if (due) {
        lookAt = time + LOOK_MS
        look()
        order()
      }
      bucket[direction] += bytes
      dirty = true
      if (due) onCount()
    },
    usage() {
      const today = dayOf(now())
      return {
        day: sum((key) => key === today),
        month: sum((key) => key.slice(0, 7) === today.slice(0, 7)),
        peers: [...peers].map(([peer, { count }]) => ({ peer, ...count })).sort((a, b) => moved(b) - moved(a)),
      }
    },
    async save() {
      if (!dirty) return
      dirty = false
      await state.batch([[KEY, [...days]]], [], 'relaxed').catch((error: unknown) => {
        dirty = true
        throw error
      })
    },
  }
}

const moved = (count: DataCount): number => count.in + count.out

/** The day by the phone's own clock and zone: `2026-11-21`. */
export function dayOf(time: number): string {
  const at = new Date(time)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

/** What does not read counts as nothing: a meter must not keep a node from starting. */
function readDays(saved: unknown): Map<string, Day> {
  const days = new Map<string, Day>()
  if (!Array.isArray(saved)) return days
  for (const entry of saved as unknown[]) {
    if (!Array.isArray(entry) || typeof entry[0] !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(entry[0])) continue
    const day: Day = {}
    for (const kind of KINDS) {
      const { in: i, out } = (entry[1] as Day | null)?.[kind] ?? {}
      if (Number.isSafeInteger(i) && Number.isSafeInteger(out)) day[kind] = { in: i as number, out: out as number }
    }
    days.set(entry[0], day)
  }
  return days
}
