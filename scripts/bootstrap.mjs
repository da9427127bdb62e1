/**
 * `npm start`, `npm test`, `npm run bench` and `npm run soak` from a fresh clone, on any Node from 20 up: installs what is missing, then runs
 * scripts/<command>.ts on the Node that the project brings.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupError, ensureDependencies } from './lib/dependencies.mjs'
import { HELP } from './lib/help.mjs'
import { findNode } from './lib/runtime.mjs'

const COMMANDS = ['start', 'test', 'bench', 'soak']
const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const log = (line) => process.stderr.write(`setup: ${line}\n`)

const [command, ...args] = process.argv.slice(2)
if (!COMMANDS.includes(command)) {
  process.stderr.write(`Usage: node scripts/bootstrap.mjs <${COMMANDS.join('|')}> [options]\n`)
  process.exit(2)
}

// `npm test` names its steps there as well: once it is installed, it answers itself.
if (command !== 'test' && (args.includes('--help') || args.includes('-h'))) {
  process.stdout.write(`${HELP[command]}\n`)
  process.exit(0)
}

try {
  await ensureDependencies(root, log)
  run(findNode(root, log))
} catch (error) {
  process.stderr.write(`${error instanceof SetupError ? error.message : error.stack}\n`)
  process.exit(1)
}

function run(node) {
  const path = [join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter)
  // The channel tells the child when this process is gone, also when it was killed: no server is left behind.
  const child = spawn(node, [join(root, 'scripts', `${command}.ts`), ...args], {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  if (process.env.npm_lifecycle_event !== undefined) stopWithNpm(child)
  child.on('error', (error) => {
    process.stderr.write(`${node} could not be started: ${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

/** SIGTERM to npm ends npm and the shell between, which passes nothing on: then this process has another parent. */
function stopWithNpm(child) {
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM')
  }, 250).unref()
}
