/**
 * `npm run bench:smoke` and `npm run bench`: our figures beside what the browser does at best, in one run.
 * Writes docs/benchmarks/<suite>.{json,md} unless only a part was asked for.
 */
import { spawnSync } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ensureBuild } from './lib/build.ts'
import { HELP } from './lib/help.mjs'
import { ensureChromium } from './lib/test-chromium.ts'

/** bench/run.ts is checked with the types of a page, which this script must not see. */
interface Bench {
  runBench: (options: {
    suite: string
    only?: string[]
    rounds?: number
    out?: string
    commit?: string
    log: (line: string) => void
  }) => Promise<{ failures: unknown[] }>
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const log = (line: string): void => console.error(line)

// Children have process groups of their own and end in the exit handler of whoever started them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))
// bootstrap.mjs holds the other end, and may be killed without a signal for us.
process.once('disconnect', () => process.exit(130))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    out: { type: 'string' },
    'no-build': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
})
if (values.help) {
  console.log(HELP.bench)
  process.exit(0)
}

try {
  const chromium = await ensureChromium()
  if (!chromium.found) throw new Error(chromium.why)
  process.env.CHROMIUM_PATH = chromium.path
  if (values['no-build'] !== true) await ensureBuild({ root, log })
  const only = values.only?.flatMap((names) => names.split(','))
  const out = values.out ?? (only === undefined ? join('docs', 'benchmarks') : undefined)
  // What was built before may be of another commit.
  const commit = values['no-build'] === true ? undefined : commitOf(root)
  const { runBench } = (await import(new URL('../bench/run.ts', import.meta.url).href)) as Bench
  const { failures } = await runBench({
    suite: positionals[0] ?? 'full',
    ...(only === undefined ? {} : { only }),
    ...(values.rounds === undefined ? {} : { rounds: Number(values.rounds) }),
    ...(out === undefined ? {} : { out: resolve(root, out) }),
    ...(commit === undefined ? {} : { commit }),
    log,
  })
  process.exit(failures.length === 0 ? 0 : 1)
} catch (error) {
  log(error instanceof Error ? error.message : String(error))
  process.exit(1)
}

/** Undefined outside of a clone. */
function commitOf(folder: string): string | undefined {
  const { stdout, status } = spawnSync('git', ['describe', '--always', '--dirty'], { cwd: folder, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}
