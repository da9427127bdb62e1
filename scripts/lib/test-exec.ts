/** Child processes that end with their parent: each gets a process group of its own, which is killed whole. */
import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface ExecOptions {
  cwd?: string
  /** Added to this process's environment. */
  env?: Record<string, string>
  /** In ms; after that the process group is killed. */
  timeoutMs: number
  /** Passes the child's output through instead of collecting it. */
  inherit?: boolean
}

export interface ExecResult {
  ok: boolean
  /** Exit code; null when a signal ended it or it could not be started. */
  code: number | null
  timedOut: boolean
  /** Standard output and error in the order they came; empty with `inherit`. */
  output: string
}

const groups = new Set<ChildProcess>()

/** Keeps a child (spawned with `detached: true`) in the list of those that end with this process. */
export function track(child: ChildProcess): void {
  if (groups.size === 0) process.once('exit', killAll)
  groups.add(child)
  child.once('exit', () => {
    // What it started may outlive it in its group (Firefox's and WebKit's content processes do for a moment).
    killGroup(child, 'SIGKILL')
    groups.delete(child)
    if (groups.size === 0) process.removeListener('exit', killAll)
  })
}

/** Signals a tracked child and everything in its process group; nothing happens when they are gone. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // ESRCH: gone already.
  }
}

function killAll(): void {
  for (const child of groups) killGroup(child, 'SIGKILL')
}

/** Runs a command to its end. Resolves for every outcome; a command that cannot be started has `code: null` and says why in `output`. */
export function exec(command: string, args: string[], options: ExecOptions): Promise<ExecResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', options.inherit ? 'inherit' : 'pipe', options.inherit ? 'inherit' : 'pipe'],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })
    track(child)
    let output = ''
    let timedOut = false
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const timer = setTimeout(() => {
      timedOut = true
      killGroup(child, 'SIGKILL')
    }, options.timeoutMs)
    const done = (code: number | null): void => {
      clearTimeout(timer)
      resolve({ ok: code === 0 && !timedOut, code, timedOut, output })
    }
    child.once('error', (error) => {
      output += error.message
      done(null)
    })
    child.once('close', done)
  })
}

/** First executable of that name on `path`. */
export function which(name: string, path = process.env.PATH ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** The last lines of a failed command's output: what a person needs to read of it. */
export function tail(output: string, lines = 6): string {
  return output.trim().split('\n').slice(-lines).join('\n')
}
