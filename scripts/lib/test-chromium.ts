/** Which Chromium the tests run in. The only browser that a run cannot do without. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { chromium } from 'playwright'
import { exec, isExecutable, tail, which } from './test-exec.ts'
import { answers, aptInstall, findProgram, type Places, type Tool } from './test-tools.ts'

const PLACES: Places = {
  variable: 'CHROMIUM_PATH',
  fixed: [
    '/usr/bin/chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
}
const DOWNLOAD_MS = 5 * 60_000

/** What is here already: CHROMIUM_PATH, an installed one, Playwright's own. Installs nothing. */
export function findChromium(env: NodeJS.ProcessEnv = process.env): Tool {
  const tool = findProgram(PLACES, env)
  const own = chromium.executablePath()
  if (!tool.found && !env.CHROMIUM_PATH && isExecutable(own)) return { found: true, path: own, origin: 'Playwright' }
  return tool
}

/** As `findChromium`, then Playwright's download, then Debian's package. */
export async function ensureChromium(): Promise<Tool> {
  const here = findChromium()
  if (process.env.CHROMIUM_PATH) return here
  if (here.found && (await answers(here.path))) return here

  console.log('  no working Chromium here: playwright install chromium')
  const cli = join(dirname(createRequire(import.meta.url).resolve('playwright/package.json')), 'cli.js')
  const download = await exec(process.execPath, [cli, 'install', '--no-shell', 'chromium'], { timeoutMs: DOWNLOAD_MS })
  const own = chromium.executablePath()
  // Downloaded is not enough: on a bare system its libraries may be missing.
  if (isExecutable(own) && (await answers(own))) return { found: true, path: own, origin: 'Playwright download' }

  const refused = await aptInstall(['chromium'])
  const packaged = which('chromium')
  if (packaged !== undefined && (await answers(packaged))) return { found: true, path: packaged, origin: 'apt-get' }
  const tried = download.ok ? 'it does not start here (libraries missing?)' : tail(download.output, 2)
  return {
    found: false,
    why:
      'No Chromium or Chrome is installed, and none could be: ' +
      `Playwright's download: ${tried}; ${refused ?? "Debian's package does not start"}. ` +
      'Install Chromium or Chrome and run again, or set CHROMIUM_PATH.',
  }
}
