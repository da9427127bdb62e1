import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { utf8Bytes } from './utf8.ts'

/**
 * Splits and checks the path of an entry to add. Refused is what another system could not save, or would save somewhere
 * else: `..`, absolute paths, NUL and control characters, separators, over-long names.
 * @throws PocketError ERR_INVALID_NAME with the path in `detail`
 */
export function checkEntryPath(path: string): string[] {
  const parts = path.split('/')
  if (parts.length > LIMITS.maxFolderDepth) throw refused(path, `deeper than ${LIMITS.maxFolderDepth} folders`)
  for (const part of parts) checkName(part, path)
  return parts
}

/**
 * A name in a folder of somebody else that would lead out of it when it is saved: received ones are shown and saved with
 * care, imported ones are refused.
 * @throws PocketError ERR_INVALID_NAME
 */
export function checkLinkName(name: string): void {
  if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)) throw refused(name, 'it leads elsewhere')
}

function checkName(name: string, path: string): void {
  if (name === '') throw refused(path, 'empty name')
  if (name === '.' || name === '..') throw refused(path, 'relative name')
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f\\]/.test(name)) throw refused(path, 'control character or backslash')
  if (utf8Bytes(name) > LIMITS.maxNameBytes) throw refused(path, `longer than ${LIMITS.maxNameBytes} bytes`)
}

function refused(path: string, reason: string): PocketError {
  return new PocketError('ERR_INVALID_NAME', `A name is not allowed: ${reason}`, {
    detail: { path: path.slice(0, 300), reason },
  })
}
