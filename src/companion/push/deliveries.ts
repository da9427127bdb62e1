import { tooMany } from '../web/api.ts'
import { encryptPush } from './encrypt.ts'
import { checkEndpoint } from './endpoint.ts'
import type { PushMessage, parseWakeRequest } from '../../contract/companion-push.ts'
import type { CompanionConfig } from '../config.ts'
import type { Store } from '../store/store.ts'
import type { PushAnswer, PushSender } from './send.ts'
import type { Vapid } from './vapid.ts'

export type Wake = ReturnType<typeof parseWakeRequest>

/** Wakes on their way to push services: kept until taken, tried again as the service says, given up at their deadline. */
export interface Deliveries {
  /** To all subscriptions of the peer: how many there are. @throws PocketError ERR_LIMIT_EXCEEDED */
  add(peer: string, wake: Wake): number
  /** Waits for those under way; what was not taken is sent after the next start. */
  stop(): Promise<void>
}

export type DeliveriesConfig = Pick<
  CompanionConfig,
  | 'maxPendingWakes'
  | 'maxPendingWakesPerPeer'
  | 'maxParallelPushes'
  | 'maxPushTries'
  | 'pushRetryMs'
  | 'maxPushRefusals'
  | 'pushPrivateEndpoints'
>

export interface DeliveriesInit {
  store: Store
  config: DeliveriesConfig
  vapid: Vapid
  sender: PushSender
  /** Without endpoints, which are secrets, and without names. */
  log: (line: string) => void
  now?: () => number
}

interface Due {
  id: number
  peer: string
  subscription: string
  endpoint: string
  p256dh: Uint8Array
  auth: Uint8Array
  title: string
  navigate: string
  payload: Uint8Array
  urgency: string
  topic: string | null
  deadline: number
  tries: number
}

/** Contents are filled up to a multiple of it: their size tells a push service less. */
const PAD_BYTES = 1_024
/** Longest pause before a push is tried again, whatever the service asks for: what is later shows that the clock was set back. */
const MAX_PAUSE_MS = 3_600_000
/** Before a store that failed is asked again. */
const STORE_PAUSE_MS = 10_000

export function createDeliveries({ store, config, vapid, sender, log, now = Date.now }: DeliveriesInit): Deliveries {
  const { db } = store
  const targets = db.prepare('SELECT id, paused_until FROM subscriptions WHERE peer = ? AND expires > ?')
  const counts = db.prepare('SELECT count(*) AS all_of_them, sum(peer = ?) AS of_peer FROM deliveries')
  const replaced = db.prepare('DELETE FROM deliveries WHERE peer = ? AND topic = ?')
  const insert = db.prepare(
    'INSERT INTO deliveries (peer, subscription, payload, urgency, topic, deadline, due) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const due = db.prepare(`
    SELECT d.id, d.peer, d.subscription, endpoint, p256dh, auth, title, navigate, payload, urgency, topic, deadline, tries
    FROM deliveries d JOIN subscriptions s ON s.peer = d.peer AND s.id = d.subscription
    WHERE due <= ? ORDER BY due LIMIT ?`)
  const next = db.prepare('SELECT min(due) AS at FROM deliveries WHERE due > ?')
  const clamp = db.prepare('UPDATE deliveries SET due = ? WHERE due > ?')
  const done = db.prepare('DELETE FROM deliveries WHERE id = ?')
  const later = db.prepare('UPDATE deliveries SET tries = ?, due = ? WHERE id = ?')
  const wait = db.prepare('UPDATE deliveries SET due = max(due, ?) WHERE peer = ? AND subscription = ?')
  const pause = db.prepare('UPDATE subscriptions SET paused_until = ? WHERE peer = ? AND id = ?')
  const accepted = db.prepare('UPDATE subscriptions SET refusals = 0 WHERE peer = ? AND id = ? AND refusals > 0')
  const refused = db.prepare(
    'UPDATE subscriptions SET refusals = refusals + 1 WHERE peer = ? AND id = ? RETURNING refusals',
  )
  const unsubscribe = db.prepare('DELETE FROM subscriptions WHERE peer = ? AND id = ?')

  const underWay = new Map<number, Promise<void>>()
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let failing = false

  /** Called by timers: nobody else would catch what the store throws, and the relay would end with it. */
  const run = (): void => {
    try {
      start()
      failing = false
    } catch (error) {
      if (!failing) log(`pushes wait, since the store failed: ${String(error)}`)
      failing = true
      again(STORE_PAUSE_MS)
    }
  }

  const again = (pauseMs: number): void => {
    clearTimeout(timer)
    if (!stopping.signal.aborted) timer = setTimeout(run, pauseMs).unref()
  }

  const start = (): void => {
    clearTimeout(timer)
    if (stopping.signal.aborted) return
    // One time for both questions: what falls due in between would be seen by neither.
    const time = now()
    clamp.run(time + MAX_PAUSE_MS, time + MAX_PAUSE_MS)
    const rows = due.all(time, config.maxParallelPushes + underWay.size) as unknown as Due[]
    for (const row of rows) {
      if (underWay.size >= config.maxParallelPushes) return
      if (underWay.has(row.id)) continue
      const sending = deliver(row).then(
        () => ended(row.id, 0),
        (error: unknown) => {
          log(`a push could not be settled: ${String(error)}`)
          ended(row.id, STORE_PAUSE_MS)
        },
      )
      underWay.set(row.id, sending)
    }
    const at = next.get(time)?.at
    if (typeof at === 'number') again(at - time)
  }

  const ended = (id: number, pauseMs: number): void => {
    underWay.delete(id)
    if (pauseMs === 0) run()
    else again(pauseMs)
  }

  const deliver = async (row: Due): Promise<void> => {
    if (row.tries > 0 && row.deadline <= now()) return void done.run(row.id)
    if (!isAllowed(row.endpoint)) {
      unsubscribe.run(row.peer, row.subscription)
      return log('a subscription was dropped: its endpoint is not on the public internet')
    }
    // Before it is sent: a disk that takes no writes must not make the phone ring again and again.
    later.run(row.tries + 1, now() + config.pushRetryMs * 2 ** row.tries, row.id)
    const answer = await post(row).catch((error: unknown) =>
      error instanceof Error ? error : new Error(String(error)),
    )
    if (!stopping.signal.aborted || !(answer instanceof Error)) settle(row, answer)
  }

  /** Again: it may have been stored when `pushPrivateEndpoints` was on. */
  const isAllowed = (endpoint: string): boolean => {
    try {
      checkEndpoint(endpoint, config.pushPrivateEndpoints)
      return true
    } catch {
      return false
    }
  }

  const post = async (row: Due): Promise<PushAnswer> => {
    const message: PushMessage = {
      web_push: 8030,
      mutable: true,
      notification: {
        title: row.title,
        navigate: row.navigate,
        data: { pocket: 1, payload: Buffer.from(row.payload).toString('base64url') },
      },
    }
    const body = encryptPush(Buffer.from(JSON.stringify(message)), row, { padTo: PAD_BYTES })
    const endpoint = new URL(row.endpoint)
    const headers = {
      authorization: vapid.authorization(endpoint),
      'content-type': 'application/octet-stream',
      'content-encoding': 'aes128gcm',
      ttl: String(Math.max(0, Math.floor((row.deadline - now()) / 1000))),
      urgency: row.urgency,
      ...(row.topic === null ? {} : { topic: row.topic }),
    }
    return await sender.send(endpoint, headers, body, stopping.signal)
  }

  const settle = (row: Due, answer: PushAnswer | Error): void => {
    const { peer, subscription } = row
    const status = answer instanceof Error ? 0 : answer.status
    if (status >= 200 && status < 300) {
      accepted.run(peer, subscription)
      done.run(row.id)
    } else if (status === 404 || status === 410) {
      // RFC 8030, 7.3: the subscription is no more. What waits for it goes with it.
      unsubscribe.run(peer, subscription)
    } else if (status === 0 || status === 429 || status >= 500) {
      retry(row, answer)
    } else {
      // Redirects and refusals: another try would end in the same way.
      done.run(row.id)
      if (Number(refused.get(peer, subscription)?.refusals) >= config.maxPushRefusals)
        unsubscribe.run(peer, subscription)
      log(`a push service refused a push: ${status}`)
    }
  }

  const retry = (row: Due, answer: PushAnswer | Error): void => {
    const tries = row.tries + 1
    const asked = answer instanceof Error ? undefined : answer.retryAfterMs
    const at = now() + Math.min(Math.max(asked ?? 0, config.pushRetryMs * 2 ** row.tries), MAX_PAUSE_MS)
    if (tries >= config.maxPushTries || at > row.deadline) done.run(row.id)
    else later.run(tries, at, row.id)
    if (asked === undefined) return
    wait.run(at, row.peer, row.subscription)
    pause.run(at, row.peer, row.subscription)
  }

  run()
  return {
    add(peer, { payload, ttl, urgency, topic }) {
      const queued = store.transaction(() => {
        if (topic !== undefined) replaced.run(peer, topic)
        const subscriptions = targets.all(peer, now())
        const { all_of_them: all, of_peer: ofPeer } = counts.get(peer) ?? {}
        if (Number(all) + subscriptions.length > config.maxPendingWakes)
          throw tooMany('Too many wakes are waiting.', 60)
        if (Number(ofPeer) + subscriptions.length > config.maxPendingWakesPerPeer) {
          throw tooMany('Too many wakes are waiting for this peer.', 60)
        }
        for (const { id, paused_until: pausedUntil } of subscriptions) {
          const bytes = Buffer.from(payload, 'base64url')
          const at = Math.max(now(), Math.min(Number(pausedUntil), now() + MAX_PAUSE_MS))
          insert.run(peer, String(id), bytes, urgency, topic ?? null, now() + ttl * 1000, at)
        }
        return subscriptions.length
      })
      run()
      return queued
    },
    async stop() {
      clearTimeout(timer)
      stopping.abort()
      await Promise.all(underWay.values())
    },
  }
}
