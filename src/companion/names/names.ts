import { createHash } from 'node:crypto'
import { IPNS_RECORD_TYPE, ROUTING_PATH } from '../../contract/companion-api.ts'
import { PocketError } from '../../shared/errors.ts'
import { createNewcomerRate } from '../server/address-limits.ts'
import { createApi, tooMany } from '../web/api.ts'
import { errorReply } from '../web/error-reply.ts'
import { checkRecord, parseName } from './record.ts'
import type { CompanionConfig } from '../config.ts'
import type { Store } from '../store/store.ts'
import type { Handler, Reply, WebRequest } from '../web/reply.ts'
import type { CheckedRecord, Name } from './record.ts'

/** IPNS records for phones that are away: GET and PUT of `/routing/v1/ipns/NAME` (Delegated Routing V1 HTTP API, IPIP-379). */
export interface Names {
  readonly handler: Handler
  sweep(): void
}

export interface NamesInit {
  store: Store
  config: Pick<
    CompanionConfig,
    'maxNames' | 'nameDays' | 'newNamesPerHour' | 'newNameBurst' | 'apiRequestsPerSecond' | 'apiBurst'
  >
  now?: () => number
}

/** IPNS specification: larger records need not be taken. */
const MAX_RECORD_BYTES = 10_240
const DAY_MS = 86_400_000
/** Caches are told no more, whatever the record says. */
const MAX_AGE_SECONDS = 3_600
const FULL_RETRY_SECONDS = 3_600

export function createNames({ store, config, now = Date.now }: NamesInit): Names {
  const { db } = store
  const find = db.prepare('SELECT record, sequence, ends_at, ttl FROM names WHERE name = ? AND expires > ?')
  const count = db.prepare('SELECT count(*) AS names FROM names')
  const upsert = db.prepare(`
    INSERT INTO names (name, record, sequence, ends_at, ttl, expires) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET record = excluded.record, sequence = excluded.sequence, ends_at = excluded.ends_at,
      ttl = excluded.ttl, expires = excluded.expires`)
  const dropOld = db.prepare('DELETE FROM names WHERE expires <= ?')
  const rate = createNewcomerRate(config.newNamesPerHour, config.newNameBurst, now)

  const get = ({ headers }: WebRequest, name: Name): Reply => {
    const found = find.get(name.text, now())
    if (found === undefined) throw new PocketError('ERR_NOT_FOUND', 'No record of this name is kept here.')
    const record = found.record as Uint8Array
    const etag = `"${createHash('sha256').update(record).digest('base64url').slice(0, 22)}"`
    const left = Math.floor((Number(found.ends_at) - now()) / 1000)
    const common = { etag, 'cache-control': `public, max-age=${Math.min(Number(found.ttl), left, MAX_AGE_SECONDS)}` }
    if (headers['if-none-match'] === etag) return { status: 304, headers: common }
    return { status: 200, headers: { ...common, 'content-type': IPNS_RECORD_TYPE }, body: record }
  }

  const put = async (request: WebRequest, name: Name): Promise<Reply> => {
    if (request.headers['content-type']?.split(';')[0]?.trim() !== IPNS_RECORD_TYPE) {
      return { ...errorReply(new PocketError('ERR_INVALID_ARGUMENT', `This takes ${IPNS_RECORD_TYPE}.`)), status: 406 }
    }
    const record = await checkRecord(name, request.body, now())
    store.transaction(() => keep(name, record, request.client))
    return { status: 200, headers: { 'cache-control': 'no-store' } }
  }

  /** @throws PocketError */
  const keep = (name: Name, record: CheckedRecord, client: string): void => {
    const known = find.get(name.text, now())
    if (known === undefined) {
      dropOld.run(now())
      if (!rate.take(client)) throw tooMany('Too many new names from this address.', FULL_RETRY_SECONDS)
      if (Number(count.get()?.names) >= config.maxNames) {
        throw tooMany('The companion has no room for another name.', FULL_RETRY_SECONDS)
      }
    } else if (isNewer(known, record)) {
      throw new PocketError('ERR_RECORD_OUTDATED', undefined, { detail: { sequence: String(known.sequence) } })
    }
    const expires = Math.min(record.endsAt, now() + config.nameDays * DAY_MS)
    const { bytes, sequence, endsAt, ttlSeconds } = record
    upsert.run(name.text, bytes, String(sequence), endsAt, Math.min(ttlSeconds, MAX_AGE_SECONDS), expires)
  }

  const path = /^\/routing\/v1\/ipns\/([A-Za-z0-9]{1,128})$/
  return {
    handler: createApi({
      prefix: ROUTING_PATH,
      routes: [
        { method: 'GET', path, handle: (request, [text = '']) => get(request, parseName(text)) },
        {
          method: 'PUT',
          path,
          maxBodyBytes: MAX_RECORD_BYTES,
          handle: (request, [text = '']) => put(request, parseName(text)),
        },
      ],
      config,
    }),
    sweep: () => void dropOld.run(now()),
  }
}

/** By sequence, then by the end of validity, as the IPNS specification orders records. */
function isNewer(known: Record<string, unknown>, record: CheckedRecord): boolean {
  const sequence = BigInt(String(known.sequence))
  return sequence === record.sequence ? Number(known.ends_at) > record.endsAt : sequence > record.sequence
}
