/** Whether node_modules is what package-lock.json says, and making it so. Needs nothing installed. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withLock } from './lock.mjs'

/** A failure whose message is for the person at the terminal: no stack. */
export class SetupError extends Error {}

const STAMP = join('node_modules', '.pocket-install')

/**
 * Installs if need be. Idempotent, and safe when started twice at once: the second waits and finds it done.
 *
 * @param {string} root
 * @param {(line: string) => void} log
 */
export async function ensureDependencies(root, log) {
  if (isInstalled(root)) return
  await withLock(
    // Not inside node_modules: `npm ci` deletes that.
    join(root, '.cache', 'install.lock'),
    () => {
      if (isInstalled(root)) return
      if (!treeMatchesLock(root)) install(root, log)
      writeFileSync(join(root, STAMP), stampOf(root))
    },
    { onWait: (pid) => log(`waiting for another installation${pid === undefined ? '' : ` (process ${pid})`}`) },
  )
}

/** The lock file that it was installed from, and for which kind of machine: a tree copied elsewhere has wrong binaries. */
function stampOf(root) {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  return `${lock} ${process.platform} ${process.arch}\n`
}

function isInstalled(root) {
  try {
    return readFileSync(join(root, STAMP), 'utf8') === stampOf(root)
  } catch {
    return false
  }
}

/** Whether npm itself already made this tree: after `npm install` by hand there is nothing to do again. */
function treeMatchesLock(root) {
  // A stamp that differs only in the machine means that npm's own record is of that other machine.
  const previous = readText(join(root, STAMP))
  if (previous !== undefined && previous.split(' ').slice(1).join(' ') !== stampOf(root).split(' ').slice(1).join(' '))
    return false
  const wanted = packagesOf(join(root, 'package-lock.json'))
  const present = packagesOf(join(root, 'node_modules', '.package-lock.json'))
  if (wanted === undefined || present === undefined) return false
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true
    const found = present[path]
    return found === undefined ? entry.optional === true || entry.devOptional === true : found.version === entry.version
  })
}

function packagesOf(path) {
  const text = readText(path)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text).packages
  } catch {
    return undefined
  }
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function install(root, log) {
  log('installing the dependencies (npm ci), once; this takes a minute or two')
  const { command, prefix } = npm()
  // Tools of tests and build are devDependencies: they are needed whatever NODE_ENV says.
  const args = [...prefix, 'ci', '--include=dev', '--no-audit', '--no-fund']
  // Its output goes to stderr: what a command prints on stdout is for programs to read.
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32' && prefix.length === 0,
  })
  if (error !== undefined && error.code === 'ENOENT') {
    throw new SetupError('npm was not found. Install Node.js with npm (https://nodejs.org), then run this again.')
  }
  if (error !== undefined) throw new SetupError(`npm could not be started: ${error.message}`)
  if (status !== 0) {
    throw new SetupError(
      `The dependencies could not be installed (npm ci ended with ${status ?? 'a signal'}; its reason is above). ` +
        'Without them nothing runs: it needs the npm registry once, later starts work offline.',
    )
  }
}

/** The npm that called us, else the one on the PATH. */
function npm() {
  const own = process.env.npm_execpath
  if (own !== undefined && /npm-cli\.c?js$/.test(own) && existsSync(own))
    return { command: process.execPath, prefix: [own] }
  return { command: 'npm', prefix: [] }
}
