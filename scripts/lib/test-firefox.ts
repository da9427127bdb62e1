/** Which Firefox its suite runs in: FIREFOX_PATH, an installed one, Debian's ESR package. */
import { isExecutable, which } from './test-exec.ts'
import { answers, aptInstall, type Tool } from './test-tools.ts'

const NAMES = ['firefox-esr', 'firefox']
const FIXED = ['/usr/bin/firefox-esr', '/Applications/Firefox.app/Contents/MacOS/firefox']

export function findFirefox(env: NodeJS.ProcessEnv = process.env): Tool {
  const wanted = env.FIREFOX_PATH
  if (wanted !== undefined && wanted !== '') {
    if (isExecutable(wanted)) return { found: true, path: wanted, origin: 'FIREFOX_PATH' }
    return { found: false, why: `FIREFOX_PATH names ${wanted}, which is no program.` }
  }
  const installed = [...FIXED, ...NAMES.map((name) => which(name, env.PATH))].find(
    (path) => path !== undefined && isExecutable(path),
  )
  if (installed !== undefined) return { found: true, path: installed, origin: 'installed' }
  return { found: false, why: 'No Firefox is installed. Install firefox-esr, or set FIREFOX_PATH.' }
}

export async function ensureFirefox(): Promise<Tool> {
  const here = findFirefox()
  if (process.env.FIREFOX_PATH) return here
  if (here.found && (await answers(here.path))) return here
  const refused = await aptInstall(['firefox-esr'])
  const packaged = which('firefox-esr')
  if (packaged !== undefined && (await answers(packaged))) return { found: true, path: packaged, origin: 'apt-get' }
  return {
    found: false,
    why: `No Firefox is installed, and ${refused ?? "Debian's package does not start"}. Set FIREFOX_PATH where there is one.`,
  }
}
