/**
 * One process at a time, across processes: a folder that only one can make. Plain JavaScript, since it guards the
 * installation of everything else.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'

const POLL_MS = 200
/** A folder without an owner's name is a process that died between two calls. */
const NAMELESS_MS = 5_000
/** Nothing that is guarded here takes as long: the owner is on another machine and dead, or its number is another process now. */
const MAX_MS = 30 * 60_000

/**
 * Runs `work` while holding `path`. A lock whose process is gone is taken over.
 *
 * @template T
 * @param {string} path
 * @param {() => T | Promise<T>} work
 * @param {{ onWait?: (pid: number | undefined) => void }} [options] `onWait` is called once if somebody else holds it
 * @returns {Promise<T>}
 */
export async function withLock(path, work, { onWait } = {}) {
  mkdirSync(dirname(path), { recursive: true })
  let told = false
  while (!take(path)) {
    if (breakStale(path)) continue
    if (!told) onWait?.(ownerOf(path)?.pid)
    told = true
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  const release = () => rmSync(path, { recursive: true, force: true })
  process.once('exit', release)
  try {
    return await work()
  } finally {
    process.off('exit', release)
    release()
  }
}

function take(path) {
  try {
    mkdirSync(path)
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
  writeFileSync(join(path, 'owner.json'), JSON.stringify({ pid: process.pid, host: hostname() }))
  return true
}

/** Whether it is worth another try at once: a dead owner's lock was put away, or the lock is gone already. */
function breakStale(path) {
  const owner = ownerOf(path)
  if (!isStale(path, owner)) return false
  const grave = `${path}.stale-${process.pid}`
  try {
    renameSync(path, grave)
    // Between look and rename another waiter may have put it away and taken the lock: then this is its new one.
    if (ownerOf(grave)?.pid !== owner?.pid) renameSync(grave, path)
  } catch {
    return true
  }
  rmSync(grave, { recursive: true, force: true })
  return true
}

function isStale(path, owner) {
  const age = ageOf(path)
  if (age === undefined) return false
  if (owner === undefined) return age > NAMELESS_MS
  return age > MAX_MS || (owner.host === hostname() && !isAlive(owner.pid))
}

function ownerOf(path) {
  try {
    const { pid, host } = JSON.parse(readFileSync(join(path, 'owner.json'), 'utf8'))
    return Number.isInteger(pid) ? { pid, host } : undefined
  } catch {
    return undefined
  }
}

function ageOf(path) {
  try {
    return Date.now() - statSync(path).mtimeMs
  } catch {
    return undefined
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
