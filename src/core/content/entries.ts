import type { AddEntry } from '../../contract/node-api.ts'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { checkEntryPath } from './names.ts'

/**
 * Checks the entries of a folder; their paths, split.
 * @throws PocketError ERR_INVALID_NAME, ERR_INVALID_ARGUMENT, ERR_LIMIT_EXCEEDED
 */
export function checkEntries(entries: AddEntry[]): string[][] {
  if (entries.length === 0) throw new PocketError('ERR_INVALID_ARGUMENT', 'The folder has no files')
  if (entries.length > LIMITS.maxFolderEntries) {
    throw new PocketError('ERR_LIMIT_EXCEEDED', undefined, {
      detail: { limit: 'maxFolderEntries', max: LIMITS.maxFolderEntries },
    })
  }
  const files = new Set<string>()
  const folders = new Set<string>()
  return entries.map(({ path }) => {
    const parts = checkEntryPath(path)
    for (let depth = 1; depth < parts.length; depth++) folders.add(parts.slice(0, depth).join('/'))
    if (files.has(path) || folders.has(path) || parts.some((_, at) => files.has(parts.slice(0, at).join('/')))) {
      throw new PocketError('ERR_INVALID_NAME', 'Two entries have the same path', {
        detail: { path: path.slice(0, 300) },
      })
    }
    files.add(path)
    return parts
  })
}

/** The folder that holds all entries, if there is one: it becomes the root and gives its name. */
export function commonRoot(paths: string[][]): string | undefined {
  const first = paths[0]?.[0]
  return first !== undefined && paths.every((path) => path.length > 1 && path[0] === first) ? first : undefined
}
