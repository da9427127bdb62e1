/** `npm start`: builds the app if need be, starts the companion, serves the app, and says where. */
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import encodeQR from 'qr'
import { loadConfig } from '../src/companion/config.ts'
import { isPocketError } from '../src/shared/errors.ts'
import { ensureBuild } from './lib/build.ts'
import { HELP } from './lib/help.mjs'
import { parseStartOptions } from './lib/start-options.ts'
import type { Companion } from '../src/companion/companion.ts'
import type { CompanionConfig } from '../src/companion/config.ts'
import type { StartOptions } from './lib/start-options.ts'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const log = (line: string): void => console.error(line)

const stopping = new AbortController()
let companion: Companion | undefined
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
// The launcher is gone, perhaps killed: nobody could stop this process any more.
process.on('disconnect', stop)

const options = readOptions()
if (options.help) {
  console.log(HELP.start)
  process.exit(0)
}
const config = readConfig(options)
try {
  if (options.build) await ensureBuild({ root, log, signal: stopping.signal })
  // Loaded here: help and mistakes in options are answered without a second of loading libp2p.
  const { startCompanion } = await import('../src/companion/companion.ts')
  if (!stopping.signal.aborted) companion = await startCompanion(config, { log })
  if (companion !== undefined && !stopping.signal.aborted) announce(companion, options)
  else stop()
} catch (error) {
  if (stopping.signal.aborted) process.exit(0)
  const hint = isPocketError(error, 'ERR_PORT_BUSY')
    ? ' (npm start -- --port N)'
    : isPocketError(error, 'ERR_DATA_BUSY')
      ? ' (npm start -- --data DIR)'
      : ''
  log(`${messageOf(error)}${hint}`)
  process.exit(1)
}

function announce(started: Companion, { qr }: StartOptions): void {
  const { network } = started
  const appUrl = network?.appUrl() ?? started.localUrl
  const trustUrl = network?.trustUrl()
  console.log(`app: ${appUrl}`)
  if (network !== undefined && trustUrl !== undefined) {
    console.log(`trust: ${trustUrl} (each phone once; certificate SHA-256 ${network.fingerprint})`)
    console.log(`local: ${started.localUrl}`)
  }
  if (network !== undefined && trustUrl === undefined) log('This machine is on no network: phones get in once it is.')
  for (const address of started.multiaddrs(true)) console.log(`companion: ${address}`)
  if (qr && process.stdout.isTTY) console.log(`\n${encodeQR(trustUrl ?? appUrl, 'term')}`)
  console.log('ready')
}

function readOptions(): StartOptions {
  try {
    return parseStartOptions(process.argv.slice(2))
  } catch (error) {
    return usage(error)
  }
}

function readConfig({ flags }: StartOptions): CompanionConfig {
  try {
    // Run from any folder: the app is this clone's, data and other settings may be put elsewhere.
    process.chdir(root)
    return loadConfig({ env: process.env, flags })
  } catch (error) {
    return usage(error)
  }
}

function usage(error: unknown): never {
  log(`${messageOf(error)}\nnpm start -- --help lists the options.`)
  process.exit(2)
}

function stop(): void {
  stopping.abort()
  if (companion !== undefined) void companion.stop().then(() => process.exit(0))
  // Still building or waiting for somebody else's build: nothing to end in good order.
  else setTimeout(() => process.exit(0), 1000).unref()
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
