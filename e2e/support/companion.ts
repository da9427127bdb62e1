/** The real companion, started as `npm start` starts it, on a free port with a data folder of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, startServer, type Server } from './process.ts'

export interface Companion {
  /** Origin that serves the app, without a trailing slash: `http://localhost:<port>`. */
  readonly url: string
  /** The first that it printed after `companion:`; dialable from a browser. */
  readonly multiaddr: string
  readonly dataDir: string
  log(): string
  /** SIGTERM, as Ctrl-C does. The data folder stays for `start`. */
  stop(): Promise<void>
  /** SIGKILL, as a power cut. The data folder stays for `start`. */
  kill(): Promise<void>
  /** Starts it again after `stop` or `kill`: same port, same data, same peer id. */
  start(): Promise<void>
  /** Stops it and removes its data. */
  remove(): Promise<void>
}

export interface CompanionOptions {
  /** Added to its environment. */
  env?: Record<string, string>
  /** Added to its command line. */
  args?: string[]
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const START = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url))
const READY_MS = 60_000

/** Expects the app built (`npm run build`). */
export async function startCompanion(options: CompanionOptions = {}): Promise<Companion> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pocket-companion-'))
  // One port for its whole life: origins, and with them what a browser has stored, contain it.
  const port = await freePort()
  const args = [START, '--no-build', '--no-qr', '--port', String(port), '--data', dataDir, ...(options.args ?? [])]
  let url = ''
  let multiaddr = ''
  const launch = (): Promise<Server> => {
    multiaddr = ''
    return startServer({
      command: process.execPath,
      args,
      cwd: ROOT,
      env: { ...options.env },
      ready: (line) => {
        const [, name, value] = /^(app|companion):\s*(\S+)\s*$/.exec(line) ?? []
        if (name === 'app') url = (value ?? '').replace(/\/$/, '')
        if (name === 'companion' && multiaddr === '') multiaddr = value ?? ''
        return line.trim() === 'ready'
      },
      timeoutMs: READY_MS,
      channel: true,
    })
  }
  const remove = (): Promise<void> => rm(dataDir, { recursive: true, force: true, maxRetries: 5 })

  let server: Server
  try {
    server = await launch()
  } catch (error) {
    await remove()
    throw error
  }
  return {
    get url() {
      return url
    },
    get multiaddr() {
      return multiaddr
    },
    dataDir,
    log: () => server.log(),
    stop: () => server.stop(),
    kill: () => server.kill(),
    start: async () => {
      server = await launch()
    },
    remove: async () => {
      await server.stop()
      await remove()
    },
  }
}
