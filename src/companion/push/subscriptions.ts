import { createHash } from 'node:crypto'
import { PocketError } from '../../shared/errors.ts'
import { isPushKey } from './encrypt.ts'
import { checkEndpoint } from './endpoint.ts'
import type { SubscriptionInfo, SubscriptionRequest } from '../../contract/companion-push.ts'
import type { CompanionConfig } from '../config.ts'
import type { Store } from '../store/store.ts'

/** Where a peer can be woken: one for each browser that it subscribed with. */
export interface Subscriptions {
  list(peer: string): SubscriptionInfo[]
  /** The same endpoint again renews it, perhaps with other keys. @throws PocketError */
  put(peer: string, request: SubscriptionRequest): SubscriptionInfo
  remove(peer: string, id: string): void
  sweep(): void
}

export type SubscriptionsConfig = Pick<
  CompanionConfig,
  'maxSubscriptionsPerPeer' | 'subscriptionDays' | 'pushPrivateEndpoints'
>

const DAY_MS = 86_400_000

export function createSubscriptions(
  store: Store,
  config: SubscriptionsConfig,
  now: () => number = Date.now,
): Subscriptions {
  const { db } = store
  const find = db.prepare('SELECT id, expires FROM subscriptions WHERE peer = ? AND expires > ? ORDER BY expires DESC')
  const upsert = db.prepare(`
    INSERT INTO subscriptions (peer, id, endpoint, p256dh, auth, title, navigate, expires)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (peer, id) DO UPDATE SET p256dh = excluded.p256dh, auth = excluded.auth, title = excluded.title,
      navigate = excluded.navigate, expires = excluded.expires, refusals = 0`)
  const drop = db.prepare('DELETE FROM subscriptions WHERE peer = ? AND id = ?')
  const dropOld = db.prepare('DELETE FROM subscriptions WHERE expires <= ?')

  const list = (peer: string): SubscriptionInfo[] =>
    find.all(peer, now()).map(({ id, expires }) => ({ id: String(id), expires: Number(expires) }))

  return {
    list,
    put(peer, { endpoint, expirationTime, keys, notification }) {
      const url = checkEndpoint(endpoint, config.pushPrivateEndpoints)
      const p256dh = Buffer.from(keys.p256dh, 'base64url')
      if (!isPushKey(p256dh)) throw new PocketError('ERR_INVALID_ARGUMENT', 'keys.p256dh is not a point of P-256.')
      const id = createHash('sha256').update(url.href).digest().subarray(0, 16).toString('base64url')
      const expires = Math.min(expirationTime ?? Infinity, now() + config.subscriptionDays * DAY_MS)
      return store.transaction(() => {
        const others = list(peer).filter((subscription) => subscription.id !== id)
        // A browser that lost its data never comes back for its old one: the one renewed longest ago makes room.
        for (const old of others.slice(config.maxSubscriptionsPerPeer - 1)) drop.run(peer, old.id)
        const auth = Buffer.from(keys.auth, 'base64url')
        upsert.run(peer, id, url.href, p256dh, auth, notification.title, notification.navigate, expires)
        return { id, expires }
      })
    },
    remove: (peer, id) => void drop.run(peer, id),
    sweep: () => void dropOld.run(now()),
  }
}
