/** Type-checks every project of tsconfig.json and the Svelte components; prints all findings, fails if there is one. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const require = createRequire(import.meta.url)
const { positionals } = parseArgs({ allowPositionals: true })
const solution = readFileSync('tsconfig.json', 'utf8').replace(/^\s*\/\/.*$/gm, '')
const { references } = JSON.parse(solution) as { references: { path: string }[] }
const projects = references
  .map((reference) => reference.path)
  .filter((path) => positionals.every((p) => path.includes(p)))

let failed = false
for (const project of projects) {
  if (!existsSync(project)) continue
  console.log(`tsc ${project}`)
  failed = run(require.resolve('typescript/bin/tsc'), ['-p', project]) || failed
}
if (positionals.length === 0) {
  console.log('svelte-check src/tsconfig.page.json')
  const svelteCheck = join(require.resolve('svelte-check/package.json'), '..', 'bin', 'svelte-check')
  failed = run(svelteCheck, ['--tsconfig', 'src/tsconfig.page.json', '--fail-on-warnings']) || failed
}
process.exit(failed ? 1 : 0)

/** Whether it failed. */
function run(script: string, args: string[]): boolean {
  return spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' }).status !== 0
}
