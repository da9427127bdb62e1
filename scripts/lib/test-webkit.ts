/** WebKitGTK's driver and browser, and the X server they draw on. Linux only. */
import { globSync } from 'node:fs'
import { isExecutable, which } from './test-exec.ts'
import { aptInstall } from './test-tools.ts'

export interface WebKitPaths {
  driver: string
  miniBrowser: string
  xvfb: string
}

export type WebKitTools = { found: true; paths: WebKitPaths; origin: string } | { found: false; why: string }

const PACKAGES = ['webkit2gtk-driver', 'xvfb']
/** Distributions keep it with the library: Debian in /usr/lib/<triplet>, Fedora and Arch in /usr/libexec. */
const MINI_BROWSER = ['/usr/lib/*/webkit2gtk-4*/MiniBrowser', '/usr/lib{,64,exec}/webkit2gtk-4*/MiniBrowser']

export function findWebKit(): WebKitTools {
  const driver = which('WebKitWebDriver')
  const xvfb = which('Xvfb')
  const miniBrowser = MINI_BROWSER.flatMap((pattern) => globSync(pattern))
    .sort()
    .find(isExecutable)
  if (driver !== undefined && xvfb !== undefined && miniBrowser !== undefined) {
    return { found: true, paths: { driver, miniBrowser, xvfb }, origin: 'installed' }
  }
  const missing = Object.entries({ WebKitWebDriver: driver, MiniBrowser: miniBrowser, Xvfb: xvfb })
    .filter(([, path]) => path === undefined)
    .map(([name]) => name)
  return { found: false, why: `Missing: ${missing.join(', ')} (Debian: ${PACKAGES.join(' ')}).` }
}

export async function ensureWebKit(): Promise<WebKitTools> {
  const here = findWebKit()
  if (here.found) return here
  const refused = await aptInstall(PACKAGES)
  const now = findWebKit()
  if (now.found) return { ...now, origin: 'apt-get' }
  return { found: false, why: refused === undefined ? now.why : `${now.why} ${refused}.` }
}
