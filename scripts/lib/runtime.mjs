/** The Node that runs the project: the `node` package's own, so that it is the same whatever the machine has. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError } from './dependencies.mjs'

/** Runs TypeScript as it is, and Helia 7 (which imports undici 7 and zstd). */
const MIN_MAJOR = 24

/**
 * Path of a Node of at least version 24.
 *
 * @param {string} root
 * @param {(line: string) => void} log
 */
export function findNode(root, log) {
  const folder = join(root, 'node_modules', 'node')
  const binary = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (majorOf(binary) >= MIN_MAJOR) return binary
  if (majorOf(process.execPath) >= MIN_MAJOR) return process.execPath
  const installer = join(folder, 'installArchSpecificPackage.js')
  if (existsSync(installer)) {
    // npm with install scripts switched off left the package without its binary.
    log(`fetching Node ${MIN_MAJOR} (the script of the package "node" did not run)`)
    spawnSync(process.execPath, [installer], { cwd: folder, stdio: ['ignore', 2, 2] })
    if (majorOf(binary) >= MIN_MAJOR) return binary
  }
  throw new SetupError(
    `Node ${MIN_MAJOR} is needed and this is Node ${process.versions.node}. The npm package "node" should have brought it, but its ` +
      `binary does not run here. Install Node ${MIN_MAJOR} or later from https://nodejs.org, then run this again.`,
  )
}

/** 0 where it does not run: no such file, or made for another system. */
function majorOf(binary) {
  if (binary === process.execPath) return Number(process.versions.node.split('.')[0])
  if (!existsSync(binary)) return 0
  const { stdout, status } = spawnSync(binary, ['--version'], { encoding: 'utf8' })
  return status === 0 ? Number(/^v(\d+)/.exec(stdout)?.[1] ?? 0) : 0
}
