/**
 * `npm run soak`: hundreds of kills of the page, its worker and the browser, over transfers and adds. Hours of work for a
 * machine of its own; `npm test` does a few of them.
 */
import { delimiter, join, resolve } from 'node:path'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ensureBuild } from './lib/build.ts'
import { HELP } from './lib/help.mjs'
import { ensureChromium } from './lib/test-chromium.ts'
import { exec } from './lib/test-exec.ts'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const log = (line: string): void => console.error(line)
const DAY_MS = 24 * 60 * 60_000

// Children have process groups of their own and end in the exit handler of whoever started them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))
// bootstrap.mjs holds the other end, and may be killed without a signal for us.
process.once('disconnect', () => process.exit(130))

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    size: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'no-build': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
})
if (values.help) {
  console.log(HELP.soak)
  process.exit(0)
}

try {
  const chromium = await ensureChromium()
  if (!chromium.found) throw new Error(chromium.why)
  if (values['no-build'] !== true) await ensureBuild({ root, log })
  const bin = join(root, 'node_modules', '.bin')
  const { ok } = await exec(join(bin, 'playwright'), ['test', '--project=soak'], {
    cwd: root,
    env: {
      PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
      CHROMIUM_PATH: chromium.path,
      SOAK_KILLS: values.kills,
      SOAK_SIZE: values.size,
      SOAK_SEED: values.seed,
    },
    timeoutMs: DAY_MS,
    inherit: true,
  })
  process.exit(ok ? 0 : 1)
} catch (error) {
  log(error instanceof Error ? error.message : String(error))
  process.exit(1)
}
