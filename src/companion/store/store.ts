import { chmodSync, closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { PocketError } from '../../shared/errors.ts'
import { MIGRATIONS } from './schema.ts'

/** What phones leave with the companion, in one SQLite file of the data folder that its owner alone can read. */
export interface Store {
  readonly db: DatabaseSync
  /** All or nothing; within another one, a part of it. */
  transaction<T>(change: () => T): T
  close(): void
}

const FILE = 'companion.sqlite'
/** How long a statement waits for somebody else's, an operator's `sqlite3` say. The relay waits with it, so not for long. */
const BUSY_MS = 500

/**
 * @throws PocketError ERR_INVALID_ARGUMENT for a damaged file, which is kept: replaced in silence, no phone would be woken
 *   any more and none would know; ERR_STORAGE_VERSION for one of a newer companion
 */
export function openStore(dataDir: string): Store {
  const path = join(dataDir, FILE)
  // SQLite gives its log files the rights of this one.
  closeSync(openSync(path, 'a', 0o600))
  if (process.platform !== 'win32') chmodSync(path, 0o600)
  const db = open(path)
  return {
    db,
    transaction(change) {
      if (db.isTransaction) return change()
      db.exec('BEGIN IMMEDIATE')
      try {
        const result = change()
        db.exec('COMMIT')
        return result
      } catch (error) {
        db.exec('ROLLBACK')
        throw error
      }
    },
    close: () => db.close(),
  }
}

function open(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_MS })
  try {
    // FULL: what was answered with 'kept' survives a power cut. Phones write a few rows a day, 0.3 ms each on a good disk.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
    const [check] = db.prepare('PRAGMA quick_check(1)').all()
    if (check?.quick_check !== 'ok') throw new Error(String(check?.quick_check))
    migrate(db, path)
    return db
  } catch (cause) {
    db.close()
    if (cause instanceof PocketError) throw cause
    throw new PocketError(
      'ERR_INVALID_ARGUMENT',
      `${path} is damaged. Restore it from a backup, or move it away: phones subscribe again when they are opened next.`,
      { cause },
    )
  }
}

function migrate(db: DatabaseSync, path: string): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.user_version)
  if (version > MIGRATIONS.length) {
    throw new PocketError('ERR_STORAGE_VERSION', `${path} was written by a newer companion. Run that one.`)
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index >= version) db.exec(`BEGIN; ${sql}; PRAGMA user_version = ${index + 1}; COMMIT`)
  }
}
