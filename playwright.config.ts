import { fileURLToPath } from 'node:url'
import { defineConfig } from '@playwright/test'
import { chromiumLaunch, type TestOptions } from './e2e/support/browser.ts'

/** Whole paths: a checkout may lie in a folder that is called like one of ours. */
const within = (glob: string): string => fileURLToPath(new URL(`e2e/${glob}`, import.meta.url))

const engines = ['firefox', 'webkit', 'kubo', 'soak'].map((name) => within(`${name}/**`))
/** What a phone's size and touch do not change runs once. */
const once = ['bad-input', 'bad-peers', 'bad-storage', 'host', 'lender', 'storage', 'under-way'].map((name) =>
  within(`chromium/${name}.spec.ts`),
)

/** One runner for every end-to-end suite; docs/testing.md says what each needs. */
export default defineConfig<TestOptions>({
  testDir: 'e2e',
  outputDir: 'test-results',
  // Two cores, and browsers that each want one: more at once only makes time-outs.
  workers: 1,
  fullyParallel: false,
  retries: 0,
  forbidOnly: process.env.CI !== undefined,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: 'list',
  use: {
    browserName: 'chromium',
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'pixel-7', testIgnore: engines, use: { device: 'Pixel 7', ...chromium() } },
    { name: 'iphone-15', testIgnore: [...engines, ...once], use: { device: 'iPhone 15', ...chromium() } },
    { name: 'kubo', testDir: 'e2e/kubo', use: { device: 'Pixel 7', ...chromium() } },
    { name: 'soak', testDir: 'e2e/soak', use: { device: 'Pixel 7', ...chromium() } },
    // These two drive browsers of their own; Playwright only runs and reports them.
    { name: 'firefox', testDir: 'e2e/firefox', timeout: 120_000 },
    { name: 'webkit', testDir: 'e2e/webkit', timeout: 120_000 },
  ],
})

function chromium(): { launchOptions: ReturnType<typeof chromiumLaunch> } {
  return { launchOptions: chromiumLaunch() }
}
