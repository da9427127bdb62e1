/** Firefox through WebDriver BiDi (puppeteer-core), each with a profile of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer, { type Page } from 'puppeteer-core'
import { findFirefox } from '../../scripts/lib/test-firefox.ts'

export interface Firefox {
  readonly version: string
  /** A new tab; with `url`, once that has loaded. */
  newPage(url?: string): Promise<Page>
  /** Uncaught errors of its pages. */
  readonly errors: string[]
  /** All console lines of its pages. */
  readonly log: string[]
  /** Closes it and removes its profile. */
  close(): Promise<void>
}

export interface FirefoxOptions {
  /** Added to the profile's preferences. */
  prefs?: Record<string, string | number | boolean>
}

const START_MS = 60_000
/** How long one command may take: a cold start of the node on two busy cores takes seconds. */
const COMMAND_MS = 90_000

/** Nothing that reaches out by itself, and loopback connections as a phone on its own network has them. */
const PREFS: Record<string, string | number | boolean> = {
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.contentblocking.report.hide_vpn_banner': true,
  'browser.newtabpage.activity-stream.feeds.telemetry': false,
  'browser.ping-centre.telemetry': false,
  'browser.region.network.url': '',
  'browser.safebrowsing.downloads.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.search.update': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage': 'about:blank',
  'browser.startup.page': 0,
  'captivedetect.canonicalURL': '',
  'datareporting.healthreport.uploadEnabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'dom.push.connection.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'extensions.update.enabled': false,
  'media.gmp-manager.url': '',
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'network.http.speculative-parallel-limit': 0,
  'network.prefetch-next': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.server': '',
}

export async function launchFirefox(options: FirefoxOptions = {}): Promise<Firefox> {
  const found = findFirefox()
  if (!found.found) throw new Error(`${found.why} \`npm test -- --only firefox\` tries to.`)
  const profile = await mkdtemp(join(tmpdir(), 'pocket-firefox-'))
  const remove = (): Promise<void> => rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  try {
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: found.path,
      headless: true,
      userDataDir: profile,
      extraPrefsFirefox: { ...PREFS, ...options.prefs },
      timeout: START_MS,
      protocolTimeout: COMMAND_MS,
    })
    const errors: string[] = []
    const log: string[] = []
    return {
      version: await browser.version(),
      errors,
      log,
      newPage: async (url) => {
        const page = await browser.newPage()
        page.on('pageerror', (error) =>
          errors.push(error instanceof Error ? (error.stack ?? error.message) : String(error)),
        )
        page.on('console', (message) => log.push(`${message.type()}: ${message.text()}`))
        if (url !== undefined) await page.goto(url)
        return page
      },
      close: async () => {
        await browser.close()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}
