/** Which Firefox its suite runs in: FIREFOX_PATH, an installed one, Debian's ESR package. */
import { which } from './test-exec.ts'
import { answers, aptInstall, findProgram, type Places, type Tool } from './test-tools.ts'

const PLACES: Places = {
  variable: 'FIREFOX_PATH',
  fixed: ['/usr/bin/firefox-esr', '/Applications/Firefox.app/Contents/MacOS/firefox'],
  names: ['firefox-esr', 'firefox'],
}

export function findFirefox(env: NodeJS.ProcessEnv = process.env): Tool {
  return findProgram(PLACES, env)
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
