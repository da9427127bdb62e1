import { parseOfferRequest } from '../../contract/companion-push.ts'
import { PocketError } from '../../shared/errors.ts'
import { createRate } from '../server/address-limits.ts'
import { jsonBody, tooMany } from '../web/api.ts'
import type { LeftOffer, OfferInfo } from '../../contract/companion-push.ts'
import type { CompanionConfig } from '../config.ts'
import type { Store } from '../store/store.ts'
import type { WebRequest } from '../web/reply.ts'
import type { Capabilities } from './capabilities.ts'

/** What senders leave for a receiver that is away: sealed, bounded, and gone when it is collected or over. */
export interface Offers {
  /** With a capability token; the same id of the same capability again replaces it. @throws PocketError */
  leave(request: WebRequest, id: string): OfferInfo
  /** Oldest first, a page of them. */
  list(peer: string): { offers: LeftOffer[]; more: boolean }
  remove(peer: string, id: string): void
  sweep(): void
}

export type OffersConfig = Pick<
  CompanionConfig,
  'maxOffers' | 'maxOffersPerPeer' | 'maxOffersPerCapability' | 'offersPerMinute' | 'offerBurst'
>

export interface OffersInit {
  store: Store
  config: OffersConfig
  capabilities: Capabilities
  now?: () => number
}

/** Offers in one answer: with the largest, 180 KiB. */
const PAGE = 64
/** Seconds after which the receiver may have collected some. */
const FULL_RETRY_SECONDS = 600

export function createOffers({ store, config, capabilities, now = Date.now }: OffersInit): Offers {
  const { db } = store
  const find = db.prepare('SELECT capability FROM offers WHERE peer = ? AND id = ?')
  const counts = db.prepare(`
    SELECT (SELECT count(*) FROM offers) AS all_of_them,
      (SELECT count(*) FROM offers WHERE peer = ?) AS of_peer,
      (SELECT count(*) FROM offers WHERE capability = ?) AS of_capability`)
  const upsert = db.prepare(`
    INSERT INTO offers (peer, id, capability, body, left_at, expires) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (peer, id) DO UPDATE SET body = excluded.body, expires = excluded.expires`)
  const page = db.prepare(`
    SELECT id, capability, body, left_at, expires FROM offers WHERE peer = ? AND expires > ? ORDER BY left_at, id LIMIT ?`)
  const drop = db.prepare('DELETE FROM offers WHERE peer = ? AND id = ?')
  const dropOld = db.prepare('DELETE FROM offers WHERE expires <= ?')
  const rate = createRate(config.offersPerMinute / 60, config.offerBurst, now)

  /** @throws PocketError */
  const checkRoom = (peer: string, capability: string): void => {
    dropOld.run(now())
    const { all_of_them: all, of_peer: ofPeer, of_capability: ofCapability } = counts.get(peer, capability) ?? {}
    if (Number(ofCapability) >= config.maxOffersPerCapability || Number(ofPeer) >= config.maxOffersPerPeer) {
      throw tooMany('The receiver has not collected the offers that were left before.', FULL_RETRY_SECONDS)
    }
    if (Number(all) >= config.maxOffers) {
      throw tooMany('The companion has no room for another offer.', FULL_RETRY_SECONDS)
    }
  }

  return {
    leave(request, id) {
      const { peer, id: capability } = capabilities.check(request)
      const { body, ttl } = parseOfferRequest(jsonBody(request))
      if (!rate.take(capability))
        throw tooMany('Too many offers with this capability.', Math.ceil(60 / config.offersPerMinute))
      const time = now()
      const expires = time + ttl * 1000
      store.transaction(() => {
        const known = find.get(peer, id)?.capability
        if (known === undefined) checkRoom(peer, capability)
        // Nobody replaces what another has left.
        else if (known !== capability) throw new PocketError('ERR_NOT_ALLOWED', 'This id is taken.')
        upsert.run(peer, id, capability, Buffer.from(body, 'base64url'), time, expires)
      })
      return { id, expires }
    },
    list(peer) {
      const rows = page.all(peer, now(), PAGE + 1)
      const offers = rows.slice(0, PAGE).map((row) => ({
        id: String(row.id),
        capability: String(row.capability),
        left: Number(row.left_at),
        expires: Number(row.expires),
        body: Buffer.from(row.body as Uint8Array).toString('base64url'),
      }))
      return { offers, more: rows.length > PAGE }
    },
    remove: (peer, id) => void drop.run(peer, id),
    sweep: () => void dropOld.run(now()),
  }
}
