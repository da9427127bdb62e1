import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Files that hold a key: readable by their owner alone, replaced in one step, on the disk before the call resolves. */

/** The content, or `undefined` if there is no such file. Rights that others gained are taken back. */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  try {
    const content = await readFile(path, 'utf8')
    if (process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600)
    return content
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Whether it was written; `false` if somebody else made the file first, whose content then counts. */
export async function createPrivateFile(path: string, content: string): Promise<boolean> {
  const temporary = await writeTemporary(path, content)
  try {
    // A link fails where a rename would overwrite: two starts at once must agree on one identity.
    await link(temporary, path)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    // File systems without links: exFAT, some shared folders of virtual machines.
    if (!['EPERM', 'ENOTSUP', 'ENOSYS'].some((code) => hasCode(error, code))) throw error
    await rename(temporary, path)
    return true
  } finally {
    await rm(temporary, { force: true })
  }
}

export async function replacePrivateFile(path: string, content: string): Promise<void> {
  const temporary = await writeTemporary(path, content)
  await rename(temporary, path)
}

async function writeTemporary(path: string, content: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  return temporary
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT')
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
