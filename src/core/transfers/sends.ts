import type { Transfer } from '../../contract/node-api.ts'
import { createRateMeter, type RateMeter } from './rate.ts'

/** What peers take from here now: one `send` a peer, whatever it asks for. In memory: it is theirs to go on with. */
export interface Sends {
  /** A peer has asked for something, and is being answered until `end`. */
  begin(peerId: string, cid: string): Answer
  all(): Transfer[]
  stop(): void
}

export interface Answer {
  /** So many more bytes are on their way. */
  sent(bytes: number): void
  end(): void
}

export interface SendsInit {
  /** What a person calls this content. */
  nameOf: (cid: string) => string | undefined
  onChange: (transfer: Transfer) => void
}

/** A peer that has been answered may ask for the next part: it counts as taking for so long, in ms. */
const LINGER_MS = 3_000
/** Watchers are told of progress at most this often, in ms. */
const PROGRESS_MS = 100

interface Send {
  transfer: Transfer
  meter: RateMeter
  answers: number
  toldAt: number
  lingering?: ReturnType<typeof setTimeout>
}

export function createSends({ nameOf, onChange }: SendsInit): Sends {
  const sends = new Map<string, Send>()

  function open(peerId: string, cid: string): Send {
    const now = Date.now()
    const transfer: Transfer = {
      id: crypto.randomUUID(),
      kind: 'send',
      cid,
      name: nameOf(cid) ?? cid,
      state: 'running',
      durable: false,
      done: 0,
      rate: 0,
      priority: 0,
      sources: [{ kind: 'peer', id: peerId, bytes: 0 }],
      attempts: 0,
      createdAt: now,
      updatedAt: now,
    }
    const send = { transfer, meter: createRateMeter(), answers: 0, toldAt: 0 }
    send.meter.sample(0, now)
    sends.set(peerId, send)
    return send
  }

  /** Answers that end when the node has stopped tell nobody. */
  let stopped = false

  function change(send: Send, change: Partial<Transfer>, notWithin = 0): void {
    if (stopped) return
    const now = Date.now()
    send.transfer = { ...send.transfer, ...change, rate: Math.round(send.meter.rate(now)), updatedAt: now }
    if (now - send.toldAt < notWithin) return
    send.toldAt = now
    onChange(send.transfer)
  }

  return {
    begin(peerId, cid) {
      const send = sends.get(peerId) ?? open(peerId, cid)
      clearTimeout(send.lingering)
      send.answers++
      // A part of a folder has no name of its own: what it is a part of was asked for before.
      const name = nameOf(cid)
      change(send, name === undefined ? {} : { cid, name })
      let ended = false
      return {
        sent(bytes) {
          const done = send.transfer.done + bytes
          send.meter.sample(done, Date.now())
          change(send, { done, sources: [{ kind: 'peer', id: peerId, bytes: done }] }, PROGRESS_MS)
        },
        end() {
          if (ended || stopped) return
          ended = true
          if (--send.answers > 0) return
          send.lingering = setTimeout(() => {
            sends.delete(peerId)
            change(send, { state: 'complete', total: send.transfer.done })
          }, LINGER_MS)
        },
      }
    },
    all: () => [...sends.values()].map(({ transfer }) => transfer),
    stop() {
      stopped = true
      for (const { lingering } of sends.values()) clearTimeout(lingering)
      sends.clear()
    },
  }
}
