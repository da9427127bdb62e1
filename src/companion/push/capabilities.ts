import { createHash, timingSafeEqual } from 'node:crypto'
import { parseCapabilityToken } from '../../contract/companion-push.ts'
import { PocketError } from '../../shared/errors.ts'
import type { CapabilityInfo, CapabilityRequest } from '../../contract/companion-push.ts'
import type { CompanionConfig } from '../config.ts'
import type { Store } from '../store/store.ts'
import type { WebRequest } from '../web/reply.ts'

/** Who may wake whom: tokens that a receiver gave out, of which only hashes are kept. */
export interface Capabilities {
  list(peer: string): CapabilityInfo[]
  /** @throws PocketError ERR_LIMIT_EXCEEDED; ERR_NOT_ALLOWED if the id is another peer's */
  put(peer: string, id: string, request: CapabilityRequest): CapabilityInfo
  remove(peer: string, id: string): void
  /** Whose capability the request shows. @throws PocketError ERR_NOT_ALLOWED, the same for one that never was and one that was taken back */
  check(request: Pick<WebRequest, 'headers'>): { id: string; peer: string }
  sweep(): void
}

/** What an unknown token is compared with, so that it takes as long as a wrong one. */
const NO_HASH = new Uint8Array(32)

export function createCapabilities(
  { db }: Store,
  config: Pick<CompanionConfig, 'maxCapabilitiesPerPeer'>,
  now: () => number = Date.now,
): Capabilities {
  const find = db.prepare('SELECT peer, hash, expires FROM capabilities WHERE id = ?')
  const all = db.prepare('SELECT id, expires FROM capabilities WHERE peer = ? ORDER BY id')
  const upsert = db.prepare(`
    INSERT INTO capabilities (id, peer, hash, expires) VALUES (?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, expires = excluded.expires`)
  const drop = db.prepare('DELETE FROM capabilities WHERE id = ? AND peer = ?')
  const dropOld = db.prepare('DELETE FROM capabilities WHERE expires <= ?')
  const info = (id: string, expires: number | null): CapabilityInfo => (expires === null ? { id } : { id, expires })

  const list = (peer: string): CapabilityInfo[] =>
    all.all(peer).map(({ id, expires }) => info(String(id), expires as number | null))

  return {
    list,
    put(peer, id, { hash, expires }) {
      const known = find.get(id)
      if (known !== undefined && known.peer !== peer) throw new PocketError('ERR_NOT_ALLOWED', 'This id is taken.')
      if (known === undefined && list(peer).length >= config.maxCapabilitiesPerPeer) {
        throw new PocketError('ERR_LIMIT_EXCEEDED', 'This peer has given out all capabilities that it may.', {
          detail: { maxCapabilities: config.maxCapabilitiesPerPeer },
        })
      }
      upsert.run(id, peer, Buffer.from(hash, 'base64url'), expires ?? null)
      return info(id, expires ?? null)
    },
    remove: (peer, id) => void drop.run(id, peer),
    check({ headers }) {
      const [, text = ''] = /^Bearer ([\w.-]{1,128})$/i.exec(headers.authorization ?? '') ?? []
      const token = parseCapabilityToken(text)
      const known = token === undefined ? undefined : find.get(token.id)
      const given = createHash('sha256')
        .update(token?.secret ?? NO_HASH)
        .digest()
      const right = known?.hash instanceof Uint8Array ? known.hash : NO_HASH
      const equal = right.byteLength === given.byteLength && timingSafeEqual(given, right)
      const expired = typeof known?.expires === 'number' && known.expires <= now()
      if (!equal || expired || token === undefined || known === undefined) throw new PocketError('ERR_NOT_ALLOWED')
      return { id: token.id, peer: String(known.peer) }
    },
    sweep: () => void dropOld.run(now()),
  }
}
