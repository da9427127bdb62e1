/**
 * `npm test`: every check and every suite, one after the other, all of them even when one fails.
 * `--only unit,e2e` runs some, `--list` names them. The last line is the sum: `N passed, N failed`.
 */
import { parseArgs } from 'node:util'
import { inCi, plain, sum, verdict, type Outcome, type Verdict } from './lib/test-counts.ts'
import { STEPS, type Step } from './lib/test-steps.ts'
import { HELP } from './lib/help.mjs'

interface Result extends Verdict {
  name: string
  seconds: number
}

// Children have process groups of their own and end in the exit handler of whoever started them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))
// bootstrap.mjs holds the other end, and may be killed without a signal for us.
process.once('disconnect', () => process.exit(130))

const values = readOptions()

if (values.help || values.list) {
  if (values.help) console.log(HELP.test)
  for (const { name, title } of STEPS) console.log(`${name.padEnd(10)} ${title}`)
  process.exit(0)
}

const steps = choose(values.only?.flatMap((names) => names.split(',')))
const results: Result[] = []
let buildFailed = false
for (const step of steps) {
  const result = await runStep(step)
  if (step.name === 'build' && result.counts?.failed !== 0) buildFailed = true
  results.push(result)
}

console.log('\n== Summary')
for (const { name, seconds, line } of results) {
  console.log(`${name.padEnd(10)} ${seconds.toFixed(0).padStart(5)} s  ${line.split('\n')[0]}`)
}
const total = sum(results.flatMap(({ counts }) => counts ?? []))
console.log(
  `${'all'.padEnd(10)} ${results
    .reduce((seconds, result) => seconds + result.seconds, 0)
    .toFixed(0)
    .padStart(5)} s`,
)
console.log(plain(total))
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1)

function readOptions(): { only?: string[]; list?: boolean; help?: boolean } {
  try {
    return parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        list: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(2)
  }
}

function choose(names: string[] | undefined): Step[] {
  const unknown = names?.find((name) => !STEPS.some((step) => step.name === name))
  if (unknown !== undefined) {
    console.error(`There is no step ${unknown}. There are: ${STEPS.map((step) => step.name).join(', ')}`)
    process.exit(2)
  }
  const chosen = STEPS.filter((step) => names?.includes(step.name) ?? true)
  // A build that is there already costs nothing; an old one must not be what is tested.
  const needsBuild = chosen.some((step) => step.needsBuild)
  return STEPS.filter((step) => chosen.includes(step) || (needsBuild && step.name === 'build'))
}

async function runStep(step: Step): Promise<Result> {
  console.log(`\n== ${step.name}: ${step.title}`)
  const start = performance.now()
  const outcome = await outcomeOf(step)
  const seconds = (performance.now() - start) / 1000
  const result = { name: step.name, seconds, ...verdict(outcome, inCi(process.env)) }
  console.log(`== ${step.name}: ${result.line} (${seconds.toFixed(1)} s)`)
  return result
}

async function outcomeOf(step: Step): Promise<Outcome> {
  if (step.needsBuild && buildFailed) return { passed: 0, failed: 1, skipped: 0, why: 'the build failed' }
  try {
    return await step.run()
  } catch (error) {
    return { passed: 0, failed: 1, skipped: 0, why: error instanceof Error ? error.message : String(error) }
  }
}
