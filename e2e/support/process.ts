/** A server that a test starts: its output is kept, its readiness is a line that it prints, its end is certain. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { killGroup, track } from '../../scripts/lib/test-exec.ts'

export interface ServerOptions {
  command: string
  args: string[]
  cwd?: string
  /** Added to this process's environment; undefined removes a variable. */
  env?: Record<string, string | undefined>
  /** Gets each line of both outputs until it returns true; `at once` for a program that prints nothing. */
  ready: ((line: string) => boolean) | 'at once'
  /** In ms. Rejects with the output so far when it passes. */
  timeoutMs: number
  /** For a Node program that ends on 'disconnect': a channel tells it when this process is gone, also when it was killed. */
  channel?: boolean
}

export interface Server {
  readonly pid: number
  /** Both outputs so far, for a failure's message. */
  log(): string
  /** Resolves when it has ended by itself or by `stop`. */
  readonly ended: Promise<void>
  /** SIGTERM, then SIGKILL for the whole process group. Resolves when it is gone; may be called twice. */
  stop(): Promise<void>
  /** SIGKILL at once, as a crash. */
  kill(): Promise<void>
}

/** How long a server may take to end by itself, in ms. */
const GRACE_MS = 5_000
/** Enough for the story of a failure, little enough for a day-long soak. */
const MAX_LOG_LINES = 2_000

export async function startServer(options: ServerOptions): Promise<Server> {
  const env = Object.fromEntries(
    Object.entries({ ...process.env, ...options.env }).filter((entry) => entry[1] !== undefined),
  )
  const child = spawn(options.command, options.args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', options.channel === true ? 'ipc' : 'ignore'],
    env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  track(child)
  // Nothing is said over it, and it keeps nobody running.
  child.channel?.unref()
  const lines: string[] = []
  const log = (): string => lines.join('\n')
  let onLine: (line: string) => void = () => {}
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) throw new Error('unreachable')
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      if (lines.length > MAX_LOG_LINES) lines.shift()
      onLine(line)
    })
  }
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', (error) => {
      lines.push(error.message)
      resolve()
    })
  })
  const kill = async (): Promise<void> => {
    killGroup(child, 'SIGKILL')
    await ended
  }
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    killGroup(child, 'SIGTERM')
    const timer = setTimeout(() => killGroup(child, 'SIGKILL'), GRACE_MS)
    await ended
    clearTimeout(timer)
  }

  const { ready } = options
  try {
    if (ready !== 'at once')
      await new Promise<void>((resolve, reject) => {
        const fail = (why: string): void => reject(new Error(`${options.command} ${why}. It said:\n${log()}`))
        const timer = setTimeout(() => fail(`was not ready after ${options.timeoutMs} ms`), options.timeoutMs)
        void ended.then(() => {
          clearTimeout(timer)
          fail('ended before it was ready')
        })
        onLine = (line) => {
          if (!ready(line)) return
          clearTimeout(timer)
          onLine = () => {}
          resolve()
        }
      })
  } catch (error) {
    await kill()
    throw error
  }
  return { pid: child.pid ?? 0, log, ended, stop, kill }
}

/** A TCP port of the loopback interface that was free a moment ago, for programs that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
