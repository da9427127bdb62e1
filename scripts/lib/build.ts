/** The built app, made again only when something that it is made of has changed. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { withLock } from './lock.mjs'

/** What goes into a build: folders are taken whole. The companion runs as it is and is no part of it. */
const INPUTS = [
  'index.html',
  'vite.config.ts',
  'scripts/lib/left-out.ts',
  'scripts/lib/one-copy.ts',
  'scripts/lib/self-contained.ts',
  'svelte.config.js',
  'tsconfig.base.json',
  'package-lock.json',
  'public',
  'src',
]
const NO_INPUTS = ['src/companion']
/** In the build itself: deleting dist, or building by hand, makes it stale. A dotfile, so never served. */
const STAMP = '.build-stamp'

export interface BuildOptions {
  root: string
  log: (line: string) => void
  signal?: AbortSignal
}

/** Builds `root`/dist if it is missing or older than its sources; resolves with its path. Rejects with the build's own output. */
export async function ensureBuild({ root, log, signal }: BuildOptions): Promise<string> {
  const dist = join(root, 'dist')
  // Two starts at once must not empty the folder under each other.
  return withLock(
    join(root, '.cache', 'build.lock'),
    async () => {
      const stamp = await hashInputs(root)
      if ((await readText(join(dist, STAMP))) === stamp) return dist
      log('building the app')
      await viteBuild(root, signal)
      await writeFile(join(dist, STAMP), stamp)
      return dist
    },
    { onWait: () => log('waiting for another build of the app') },
  )
}

/** Of names and contents: times lie after a checkout. */
async function hashInputs(root: string): Promise<string> {
  const hash = createHash('sha256')
  for (const path of (await Promise.all(INPUTS.map((input) => filesOf(root, input)))).flat().sort()) {
    hash.update(`${path}\0`).update(await readFile(join(root, path)))
  }
  return hash.digest('hex')
}

async function filesOf(root: string, path: string): Promise<string[]> {
  if (NO_INPUTS.includes(path)) return []
  try {
    const entries = await readdir(join(root, path), { withFileTypes: true })
    const nested = await Promise.all(entries.map((entry) => filesOf(root, `${path}/${entry.name}`)))
    return nested.flat()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOTDIR') return [path]
    if (code === 'ENOENT') return []
    throw error
  }
}

/** A process of its own: what the build takes in memory is given back before the companion begins. */
async function viteBuild(root: string, signal: AbortSignal | undefined): Promise<void> {
  const vite = join(createRequire(join(root, 'package.json')).resolve('vite/package.json'), '..', 'bin', 'vite.js')
  const child = spawn(process.execPath, [vite, 'build', '--logLevel', 'warn'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal === undefined ? {} : { signal }),
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`The app could not be built:\n${output.trim()}`)
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}
