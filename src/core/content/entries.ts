import type { AddEntry } from '../../contract/node-api.ts'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { checkEntryPath } from './names.ts'

/** Entries of a large folder in one turn of the event loop: the worker has heartbeats to answer meanwhile. */
const ENTRIES_A_TURN = 2048

/**
 * Checks the entries of a folder; their paths, split.
 * @throws PocketError ERR_INVALID_NAME, ERR_INVALID_ARGUMENT, ERR_LIMIT_EXCEEDED
 */
export async function checkEntries(entries: AddEntry[]): Promise<string[][]> {
  if (entries.length === 0) throw new PocketError('ERR_INVALID_ARGUMENT', 'The folder has no files')
  if (entries.length > LIMITS.maxFolderEntries) {
    throw new PocketError('ERR_LIMIT_EXCEEDED', undefined, {
      detail: { limit: 'maxFolderEntries', max: LIMITS.maxFolderEntries },
    })
  }
  const files = new Set<string>()
  const folders = new Set<string>()
  const paths: string[][] = []
  for (const [at, { path }] of entries.entries()) {
    // Before the first as well: to take so many out of a message was a long turn already.
    if (entries.length > ENTRIES_A_TURN && at % ENTRIES_A_TURN === 0) {
      await new Promise((resolve) => setTimeout(resolve, 0))
    }
    const parts = checkEntryPath(path)
    for (let depth = 1; depth < parts.length; depth++) folders.add(parts.slice(0, depth).join('/'))
    if (files.has(path) || folders.has(path) || parts.some((_, at) => files.has(parts.slice(0, at).join('/')))) {
      throw new PocketError('ERR_INVALID_NAME', 'Two entries have the same path', {
        detail: { path: path.slice(0, 300) },
      })
    }
    files.add(path)
    paths.push(parts)
  }
  return paths
}

/** The folder that holds all entries, if there is one: it becomes the root and gives its name. */
export function commonRoot(paths: string[][]): string | undefined {
  const first = paths[0]?.[0]
  return first !== undefined && paths.every((path) => path.length > 1 && path[0] === first) ? first : undefined
}
