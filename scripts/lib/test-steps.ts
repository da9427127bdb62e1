/** The steps of `npm test`, cheap ones first. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuild } from './build.ts'
import { ensureChromium } from './test-chromium.ts'
import { judge, playwrightCounts, vitestCounts, type Counts, type Outcome } from './test-counts.ts'
import { exec } from './test-exec.ts'
import { ensureFirefox } from './test-firefox.ts'
import { ensureKubo } from './test-kubo.ts'
import { checkSizes } from './test-sizes.ts'
import { ensureWebKit } from './test-webkit.ts'

export interface Step {
  name: string
  title: string
  /** Serves the built app. */
  needsBuild?: boolean
  run(): Promise<Outcome>
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const REPORTS = join(ROOT, 'test-results')
const BIN = join(ROOT, 'node_modules', '.bin')
const MINUTE = 60_000

export const STEPS: Step[] = [
  { name: 'format', title: 'Prettier', run: () => script('format:check', 3) },
  { name: 'lint', title: 'ESLint, and which way imports go', run: () => script('lint', 6) },
  { name: 'typecheck', title: 'TypeScript and svelte-check', run: () => script('typecheck', 6) },
  { name: 'build', title: 'Vite, if anything has changed', run: build },
  {
    name: 'sizes',
    title: "What the first screen's script and the worker weigh",
    needsBuild: true,
    run: () => checkSizes(join(ROOT, 'dist'), (line) => console.log(`  ${line}`)),
  },
  { name: 'unit', title: 'Vitest under Node', run: () => vitest('unit', 10) },
  { name: 'browser', title: 'Vitest in Chromium', run: () => withChromium(() => vitest('browser', 10)) },
  {
    name: 'e2e',
    title: 'Playwright in Chromium, as a Pixel 7 and an iPhone 15',
    needsBuild: true,
    run: () => withChromium(() => playwright('e2e', ['pixel-7', 'iphone-15'], 20)),
  },
  {
    name: 'firefox',
    title: 'Firefox through WebDriver BiDi',
    needsBuild: true,
    run: () => withTool(ensureFirefox, 'FIREFOX_PATH', () => playwright('firefox', ['firefox'], 10)),
  },
  {
    name: 'webkit',
    title: 'WebKitGTK through WebDriver, under Xvfb',
    needsBuild: true,
    run: async () => {
      const tools = await ensureWebKit()
      if (!tools.found) return { missing: tools.why }
      console.log(`  ${tools.paths.driver} (${tools.origin})`)
      return playwright('webkit', ['webkit'], 10)
    },
  },
  {
    name: 'kubo',
    title: 'Kubo and the node in Chromium',
    needsBuild: true,
    run: () => withChromium(() => withTool(ensureKubo, 'KUBO_BINARY', () => playwright('kubo', ['kubo'], 10))),
  },
]

/** A check counts as one test. */
async function script(name: string, minutes: number): Promise<Outcome> {
  const result = await exec('npm', ['run', '--silent', name], options(minutes))
  if (result.ok) return { passed: 1, failed: 0, skipped: 0 }
  return { passed: 0, failed: 1, skipped: 0, ...(result.timedOut ? { why: tooLong(minutes) } : {}) }
}

async function build(): Promise<Outcome> {
  // Rejects with the output of the build, which the caller tells.
  await ensureBuild({ root: ROOT, log: (line) => console.log(`  ${line}`) })
  return { passed: 1, failed: 0, skipped: 0 }
}

async function vitest(project: string, minutes: number): Promise<Outcome> {
  const report = reportFile(project)
  const args = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  return runner('vitest', args, { report, count: vitestCounts, minutes })
}

async function playwright(name: string, projects: string[], minutes: number): Promise<Outcome> {
  const report = reportFile(name)
  // Its output folder is emptied when it starts: one for each run, beside the reports.
  const args = ['test', '--reporter=list,json', `--output=${join(REPORTS, name)}`]
  for (const project of projects) args.push(`--project=${project}`)
  return runner('playwright', args, {
    report,
    count: playwrightCounts,
    minutes,
    env: { PLAYWRIGHT_JSON_OUTPUT_FILE: report },
  })
}

interface Runner {
  report: string
  count: (report: unknown) => Counts
  minutes: number
  env?: Record<string, string>
}

async function runner(command: string, args: string[], { report, count, minutes, env }: Runner): Promise<Outcome> {
  const result = await exec(join(BIN, command), args, options(minutes, env))
  const counts = existsSync(report) ? count(JSON.parse(readFileSync(report, 'utf8'))) : undefined
  const judged = judge(counts, result.ok)
  return result.timedOut ? { ...judged, failed: Math.max(1, judged.failed), why: tooLong(minutes) } : judged
}

function options(minutes: number, env: Record<string, string> = {}): Parameters<typeof exec>[2] {
  // Node 24 of devDependencies comes first, however this script was started.
  const path = `${BIN}${delimiter}${process.env.PATH ?? ''}`
  return { cwd: ROOT, env: { ...env, PATH: path }, timeoutMs: minutes * MINUTE, inherit: true }
}

function tooLong(minutes: number): string {
  return `ended after ${minutes} minutes, its limit`
}

function reportFile(name: string): string {
  mkdirSync(REPORTS, { recursive: true })
  const file = join(REPORTS, `${name}.json`)
  // An old one must not count for a run that wrote none.
  rmSync(file, { force: true })
  return file
}

/** Chromium is needed on any machine: without it the step fails, in CI or not. */
async function withChromium(run: () => Promise<Outcome>): Promise<Outcome> {
  const chromium = await ensureChromium()
  if (!chromium.found) return { passed: 0, failed: 1, skipped: 0, why: chromium.why }
  console.log(`  ${chromium.path} (${chromium.origin})`)
  process.env.CHROMIUM_PATH = chromium.path
  return run()
}

type Finder = () => Promise<{ found: true; path: string; origin: string } | { found: false; why: string }>

async function withTool(ensure: Finder, variable: string, run: () => Promise<Outcome>): Promise<Outcome> {
  const tool = await ensure()
  if (!tool.found) return { missing: tool.why }
  console.log(`  ${tool.path} (${tool.origin})`)
  process.env[variable] = tool.path
  return run()
}
