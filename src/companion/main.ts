import { parseArgs } from 'node:util'
import { startCompanion } from './companion.ts'
import { loadConfig } from './config.ts'

/** The production entry: configuration, start, signals. `npm start` uses scripts/start.ts, which also builds and explains. */
const log = (line: string): void => console.error(line)

try {
  const { values } = parseArgs({ options: { config: { type: 'string' } } })
  const config = loadConfig({ env: process.env, ...(values.config === undefined ? {} : { file: values.config }) })
  const companion = await startCompanion(config, { log })
  for (const address of companion.multiaddrs(true)) console.log(`companion: ${address}`)
  console.log('ready')

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => void companion.stop().then(() => process.exit(0)))
  }
  process.on('SIGHUP', () => {
    companion.reloadApp().then(
      () => log('read the app again'),
      (error: unknown) => log(`kept the app as it was: ${messageOf(error)}`),
    )
  })
} catch (error) {
  log(`pocket-companion: ${messageOf(error)}`)
  process.exitCode = 1
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
