import { createHash } from 'node:crypto'
import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { PocketError } from '../../shared/errors.ts'
import { contentType } from './content-type.ts'

/** One file of the app, as it is sent. */
export interface SiteFile {
  path: string
  type: string
  /** Strong validator of the content, without quotes. */
  hash: string
  bytes: Uint8Array
  /** Compressed by the build (`name.br`, `name.gz`) or on first demand. */
  compressed: Map<'br' | 'gzip', Promise<Uint8Array | undefined>>
}

/** The app by URL path. Only what is in it can be asked for: no path reaches the disk, so none can leave the folder. */
export type Site = ReadonlyMap<string, SiteFile>

/**
 * Reads the built app into memory. Dotfiles, links and precompressed twins are no files of their own.
 * A static file server library reads the disk at each request instead: a rebuild under it serves half of each version,
 * and the one tried (sirv 3.0) gets `bytes=-5` and `bytes=0-0` wrong and dies of a file that vanishes while it is sent.
 */
export async function loadSite(appDir: string, maxBytes: number): Promise<Site> {
  const root = await realpath(appDir).catch((cause: unknown) => {
    throw new PocketError('ERR_INVALID_ARGUMENT', `There is no built app in ${appDir}. Run the build first.`, { cause })
  })
  const contents = new Map<string, Uint8Array>()
  let total = 0
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = urlPath(root, entry.parentPath, entry.name)
    if (!entry.isFile() || path.includes('/.')) continue
    const bytes = await readFile(join(entry.parentPath, entry.name))
    total += bytes.byteLength
    if (total > maxBytes) {
      throw new PocketError('ERR_LIMIT_EXCEEDED', `${appDir} is larger than ${maxBytes} bytes: is it the built app?`)
    }
    contents.set(path, bytes)
  }
  if (!contents.has('/index.html')) {
    throw new PocketError('ERR_INVALID_ARGUMENT', `${appDir} has no index.html. Run the build first.`)
  }
  return new Map(
    [...contents]
      .filter(([path]) => !isTwin(path, contents))
      .map(([path, bytes]) => [path, describe(path, bytes, contents)]),
  )
}

function describe(path: string, bytes: Uint8Array, contents: Map<string, Uint8Array>): SiteFile {
  const compressed: SiteFile['compressed'] = new Map()
  const brotli = contents.get(`${path}.br`)
  const gzip = contents.get(`${path}.gz`)
  if (brotli !== undefined) compressed.set('br', Promise.resolve(brotli))
  if (gzip !== undefined) compressed.set('gzip', Promise.resolve(gzip))
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 22)
  return { path, type: contentType(path), hash, bytes, compressed }
}

function isTwin(path: string, contents: Map<string, Uint8Array>): boolean {
  const original = path.replace(/\.(br|gz)$/, '')
  return original !== path && contents.has(original)
}

function urlPath(root: string, folder: string, name: string): string {
  return join(folder, name).slice(root.length).replaceAll('\\', '/')
}
