/** Which Kubo its suite runs against, and how it is had where there is none: Go's module proxy, then npm. */
import { mkdirSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { exec, isExecutable, tail, which } from './test-exec.ts'
import { findProgram, type Tool } from './test-tools.ts'

/** Known to have WebTransport and WebRTC-direct listeners; built and tried against this project's node. */
export const KUBO_VERSION = '0.42.0'
const MODULE = 'github.com/ipfs/kubo'
/** A build from cold caches on two cores takes some six minutes. */
const BUILD_MS = 12 * 60_000
const DOWNLOAD_MS = 4 * 60_000

/** Outside the clone, so that it is built once a machine. */
function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'pocket-ipfs', `kubo-${KUBO_VERSION}`)
}

/** What is here already: KUBO_BINARY, one that an earlier run built, `ipfs` on the PATH. Installs nothing. */
export function findKubo(env: NodeJS.ProcessEnv = process.env): Tool {
  return findProgram({ variable: 'KUBO_BINARY', fixed: [join(cacheFolder(env), 'ipfs')], names: ['ipfs'] }, env)
}

/** As `findKubo`, then one way after the other until a binary answers. */
export async function ensureKubo(): Promise<Tool> {
  const here = findKubo()
  if (process.env.KUBO_BINARY) return here
  if (here.found && (await works(here.path))) return here
  const folder = cacheFolder()
  mkdirSync(folder, { recursive: true })
  const failures: string[] = []
  for (const { name, install } of WAYS) {
    console.log(`  no Kubo here: ${name}`)
    const made = await install(folder)
    if (typeof made === 'string' && (await works(made))) {
      const path = join(folder, 'ipfs')
      renameSync(made, path)
      return { found: true, path, origin: name }
    }
    failures.push(`${name}: ${typeof made === 'string' ? 'the binary does not start' : made.failed}`)
  }
  return {
    found: false,
    why: `No Kubo is installed, and none could be:\n${failures.join('\n')}\nSet KUBO_BINARY where there is one.`,
  }
}

/** Path of the new binary (in the folder, so that moving it is a rename), or why there is none. */
type Install = (folder: string) => Promise<string | { failed: string }>

const WAYS: { name: string; install: Install }[] = [
  {
    name: `go install ${MODULE}/cmd/ipfs@v${KUBO_VERSION}`,
    install: async (folder) => {
      const go = which('go')
      if (go === undefined) return { failed: 'there is no Go here' }
      const bin = join(folder, 'bin')
      const env = { GOBIN: bin }
      const result = await exec(go, ['install', `${MODULE}/cmd/ipfs@v${KUBO_VERSION}`], { env, timeoutMs: BUILD_MS })
      return result.ok ? join(bin, 'ipfs') : { failed: reason(result) }
    },
  },
  {
    // `go install` also asks for the list of versions, which not every module proxy serves.
    name: `go build from the downloaded module ${MODULE}@v${KUBO_VERSION}`,
    install: async (folder) => {
      const go = which('go')
      if (go === undefined) return { failed: 'there is no Go here' }
      const args = ['mod', 'download', '-json', `${MODULE}@v${KUBO_VERSION}`]
      const download = await exec(go, args, { timeoutMs: DOWNLOAD_MS })
      const cwd = /"Dir":\s*"([^"]+)"/.exec(download.output)?.[1]
      if (!download.ok || cwd === undefined) return { failed: reason(download) }
      const output = join(folder, 'ipfs.new')
      const build = ['build', '-buildvcs=false', '-trimpath', '-o', output, './cmd/ipfs']
      const result = await exec(go, build, { cwd, timeoutMs: BUILD_MS })
      return result.ok ? output : { failed: reason(result) }
    },
  },
  {
    // Its install script downloads the release from the project's distribution site.
    name: `npm install kubo@${KUBO_VERSION}`,
    install: async (folder) => {
      const npm = which('npm')
      if (npm === undefined) return { failed: 'there is no npm here' }
      const args = [
        'install',
        '--prefix',
        join(folder, 'npm'),
        '--no-save',
        '--no-audit',
        '--no-fund',
        `kubo@${KUBO_VERSION}`,
      ]
      const result = await exec(npm, args, { timeoutMs: DOWNLOAD_MS })
      const binary = join(folder, 'npm', 'node_modules', 'kubo', 'kubo', 'ipfs')
      return result.ok && isExecutable(binary) ? binary : { failed: reason(result) }
    },
  },
]

function reason(result: { output: string; timedOut: boolean }): string {
  return result.timedOut ? 'no end in time' : tail(result.output, 3)
}

async function works(path: string): Promise<boolean> {
  const result = await exec(path, ['version', '--number'], { timeoutMs: 30_000 })
  return result.ok && /^\d+\.\d+\.\d+/.test(result.output.trim())
}
