/** What a browser's storage takes on the disk. */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes of the disk's blocks that all IndexedDB databases of a profile take. Nothing may run in it. */
export async function indexedDbBytes(profile: string): Promise<number> {
  return allocated(join(profile, 'Default', 'IndexedDB'))
}

async function allocated(path: string): Promise<number> {
  const entry = await lstat(path)
  // POSIX counts st_blocks by 512 bytes, whatever the file system's own blocks are.
  const own = entry.blocks * 512
  if (!entry.isDirectory()) return own
  const below = await Promise.all((await readdir(path)).map((name) => allocated(join(path, name))))
  return below.reduce((sum, bytes) => sum + bytes, own)
}
