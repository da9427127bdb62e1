/** What every finder of a browser or a server answers, and the one package manager that they may use. */
import { exec, isExecutable, tail, which } from './test-exec.ts'

export type Tool =
  | {
      found: true
      path: string
      /** Where it came from, for the person who reads the run: `installed`, `apt-get`, … */
      origin: string
    }
  | {
      found: false
      /** A sentence with what was tried and what to do. */
      why: string
    }

/** Where a program may be that is here already. */
export interface Places {
  /** A variable that names it, and then alone counts. */
  variable: string
  /** Paths, looked at first. */
  fixed: (string | undefined)[]
  /** Names, looked for on the PATH. */
  names: string[]
}

/** Looks for a program and installs nothing. */
export function findProgram({ variable, fixed, names }: Places, env: NodeJS.ProcessEnv): Tool {
  const wanted = env[variable]
  if (wanted !== undefined && wanted !== '') {
    if (isExecutable(wanted)) return { found: true, path: wanted, origin: variable }
    return { found: false, why: `${variable} names ${wanted}, which is no program.` }
  }
  const path = [...fixed, ...names.map((name) => which(name, env.PATH))].find(
    (candidate) => candidate !== undefined && isExecutable(candidate),
  )
  if (path !== undefined) return { found: true, path, origin: 'installed' }
  return { found: false, why: `There is no ${names[0] ?? ''} here. Install it, or set ${variable}.` }
}

const APT_UPDATE_MS = 3 * 60_000
const APT_INSTALL_MS = 8 * 60_000
/** A machine that has just started may be installing its own updates. */
const LOCK_WAIT = '-oDPkg::Lock::Timeout=120'

let updated: Promise<string | undefined> | undefined

/** Installs Debian packages as root. Resolves with undefined when done, else with the reason why not. */
export async function aptInstall(packages: string[]): Promise<string | undefined> {
  const names = packages.join(' ')
  if (which('apt-get') === undefined) return `there is no apt-get here to install ${names}`
  if (process.getuid?.() !== 0) return `only root may run apt-get install ${names}`
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  // Package lists of a fresh image are empty or old. A failure is told by the install, which may do without.
  updated ??= exec('apt-get', [LOCK_WAIT, 'update', '-qq'], { env, timeoutMs: APT_UPDATE_MS }).then((result) =>
    result.ok ? undefined : tail(result.output),
  )
  const updateError = await updated
  console.log(`  apt-get install ${names}`)
  const args = [LOCK_WAIT, 'install', '-y', '-qq', '--no-install-recommends', ...packages]
  const result = await exec('apt-get', args, { env, timeoutMs: APT_INSTALL_MS })
  if (result.ok) return undefined
  const cause = result.timedOut ? `no end after ${APT_INSTALL_MS / 60_000} minutes` : tail(result.output)
  return `apt-get install ${names} failed: ${cause}${updateError === undefined ? '' : `\n(apt-get update had failed: ${updateError})`}`
}

/** Whether a program answers `--version` (or the like) in time: a stub that only points to a shop does not. */
export async function answers(path: string, args: string[] = ['--version']): Promise<boolean> {
  return (await exec(path, args, { timeoutMs: 30_000 })).ok
}
