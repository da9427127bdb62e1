import { LIMITS } from '../../shared/limits.ts'

/** Places for answers: so many in all, and so many of one peer. */
export interface Slots {
  /**
   * A place for an answer to a peer; undefined when there is none. A peer without one takes, when all are taken, that of the
   * slowest answer of whoever has most, if that is more than one: `evict` is called for it.
   */
  take(peer: string, evict: () => void): Slot | undefined
}

export interface Slot {
  sent(bytes: number): void
  /** May be called again, and after it was taken away. */
  release(): void
}

interface Holder {
  peer: string
  since: number
  sent: number
  evict: () => void
}

export function createSlots(): Slots {
  const held = new Set<Holder>()

  const of = (peer: string): Holder[] => [...held].filter((each) => each.peer === peer)

  function slowestOfMost(now: number): Holder | undefined {
    const most = [...new Set([...held].map(({ peer }) => peer))].map(of).sort((a, b) => b.length - a.length)[0]
    if (most === undefined || most.length < 2) return undefined
    const speed = ({ sent, since }: Holder): number => sent / Math.max(1, now - since)
    // Of those that nothing was taken of yet, the oldest.
    return most.sort((a, b) => speed(a) - speed(b) || a.since - b.since)[0]
  }

  return {
    take(peer, evict) {
      const mine = of(peer).length
      if (mine >= LIMITS.maxAnswersPerPeer) return undefined
      const now = Date.now()
      if (held.size >= LIMITS.maxAnswers) {
        const loser = mine === 0 ? slowestOfMost(now) : undefined
        if (loser === undefined) return undefined
        held.delete(loser)
        loser.evict()
      }
      const holder: Holder = { peer, since: now, sent: 0, evict }
      held.add(holder)
      return {
        sent: (bytes) => void (holder.sent += bytes),
        release: () => void held.delete(holder),
      }
    },
  }
}
