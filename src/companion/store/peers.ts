import { createRate } from '../server/address-limits.ts'
import { tooMany } from '../web/api.ts'
import type { CompanionConfig } from '../config.ts'
import type { Store } from './store.ts'

/** Peers of whom something is kept, counted and forgotten in one place. */
export interface Peers {
  /** Makes room for a peer that is about to leave something. @throws PocketError ERR_LIMIT_EXCEEDED */
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
  const rate = createRate(config.newPeersPerHour / 3_600, config.newPeerBurst, now)
  return {
    know(peer, client) {
      if (find.get(peer) !== undefined) return
      if (!rate.take(client)) throw tooMany('Too many new peers from this address.', FULL_RETRY_SECONDS)
      if (Number(count.get()?.peers) >= config.maxKnownPeers) {
        throw tooMany('The companion has no room for another peer.', FULL_RETRY_SECONDS)
      }
      put.run(peer, now())
    },
    touch: (peer) => void see.run(now(), peer, now() - DAY_MS),
    forget: (peer) => void drop.run(peer),
    sweep: () => void dropOld.run(now() - config.peerDays * DAY_MS),
  }
}
