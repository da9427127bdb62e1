import { createNewcomerRate } from '../server/address-limits.ts'
import { tooMany } from '../web/api.ts'
import type { CompanionConfig } from '../config.ts'
import type { Store } from './store.ts'

/** Peers of whom something is kept, counted and forgotten in one place. */
export interface Peers {
  /**
   * Makes room for a peer that is about to leave something: when there is none, the one longest unseen of those that
   * nobody can wake and who let nobody wake them goes. @throws PocketError ERR_LIMIT_EXCEEDED
   */
  know(peer: string, client: string): void
  /** It is still there. Noted once a day: a commit waits for the disk, and the relay with it. */
  touch(peer: string): void
  forget(peer: string): void
  /** Deletes those that did not come back. */
  sweep(): void
}

const DAY_MS = 86_400_000
/** Seconds after which room may have come free. */
const FULL_RETRY_SECONDS = 3_600

export function createPeers(
  { db }: Store,
  config: Pick<CompanionConfig, 'maxKnownPeers' | 'peerDays' | 'newPeersPerHour' | 'newPeerBurst'>,
  now: () => number = Date.now,
): Peers {
  const find = db.prepare('SELECT 1 FROM peers WHERE id = ?')
  const count = db.prepare('SELECT count(*) AS peers FROM peers')
  const put = db.prepare('INSERT INTO peers (id, seen) VALUES (?, ?)')
  const see = db.prepare('UPDATE peers SET seen = ? WHERE id = ? AND seen < ?')
  const drop = db.prepare('DELETE FROM peers WHERE id = ?')
  const dropOld = db.prepare('DELETE FROM peers WHERE seen < ?')
  const dropUseless = db.prepare(`
    DELETE FROM peers WHERE id = (SELECT id FROM peers
      WHERE NOT EXISTS (SELECT 1 FROM subscriptions s WHERE s.peer = peers.id AND s.expires > ?1)
        AND NOT EXISTS (SELECT 1 FROM capabilities c WHERE c.peer = peers.id AND (c.expires IS NULL OR c.expires > ?1))
      ORDER BY seen LIMIT 1)`)
  const rate = createNewcomerRate(config.newPeersPerHour, config.newPeerBurst, now)
  return {
    know(peer, client) {
      if (find.get(peer) !== undefined) return
      if (!rate.take(client)) throw tooMany('Too many new peers from this address.', FULL_RETRY_SECONDS)
      const full = Number(count.get()?.peers) >= config.maxKnownPeers
      if (full && dropUseless.run(now()).changes === 0) {
        throw tooMany('The companion has no room for another peer.', FULL_RETRY_SECONDS)
      }
      put.run(peer, now())
    },
    touch: (peer) => void see.run(now(), peer, now() - DAY_MS),
    forget: (peer) => void drop.run(peer),
    sweep: () => void dropOld.run(now() - config.peerDays * DAY_MS),
  }
}
