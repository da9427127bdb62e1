/** How Chromium is started wherever tests run in it. */
import { findChromium } from '../../scripts/lib/test-chromium.ts'

/** Options of this project's own in playwright.config.ts. */
export interface TestOptions {
  /** Playwright's name of the device that a project stands for. */
  device: string
}

export interface ChromiumLaunch {
  executablePath: string
  args: string[]
}

/** Throws a sentence with the way out when there is no Chromium. */
export function chromiumLaunch(): ChromiumLaunch {
  const chromium = findChromium()
  if (!chromium.found) throw new Error(`${chromium.why} \`npm test -- --only e2e\` tries to.`)
  return {
    executablePath: chromium.path,
    args: [
      // Chromium refuses its sandbox to root.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      // It would look for updates and components on its own: noise in measurements, and nothing there in CI.
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      // Two pages take turns in front; a real phone's background rules are tested by freezing them on purpose.
      '--disable-background-timer-throttling',
      '--disable-backgrounding-occluded-windows',
      '--disable-renderer-backgrounding',
      // A phone's camera for the QR scanner: a test pattern, no question.
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
    ],
  }
}
