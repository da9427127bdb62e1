/** What an end-to-end test starts with. `import { test, expect } from './support/fixtures.ts'`. */
import { test as base } from '@playwright/test'
import type { TestOptions } from './browser.ts'
import { connectCdp, type Cdp } from './cdp.ts'
import { startCompanion, type Companion } from './companion.ts'
import { checkInvariants } from './invariants.ts'
import { openPhone, type Phone, type PhoneOptions } from './phone.ts'
import { freePort } from './process.ts'

export { expect } from '@playwright/test'
export { randomFile, sha256, sha256OfDownload, type RandomFile } from './files.ts'
export { startCompanion, type Companion } from './companion.ts'
export { addPicked, contentSha256, facts, kept, onNode, placeInput, shellReady } from './on-node.ts'
export type { Phone, PhoneOptions } from './phone.ts'

interface WorkerFixtures {
  debuggingPort: number
  cdp: Cdp
  /** One for all tests of a worker. A test that stops it starts one of its own. */
  companion: Companion
  appUrl: string
}

interface TestFixtures {
  /** Opens the app on a new phone; after the test its invariants are checked and it is closed. */
  phone: (name: string, options?: PhoneOptions & { appUrl?: string }) => Promise<Phone>
}

export const test = base.extend<TestFixtures & TestOptions, WorkerFixtures>({
  device: ['Pixel 7', { option: true }],

  // eslint-disable-next-line no-empty-pattern -- Playwright reads the names of a fixture's needs from this pattern
  debuggingPort: [async ({}, use) => use(await freePort()), { scope: 'worker' }],

  launchOptions: [
    async ({ launchOptions, debuggingPort }, use) => {
      const args = [...(launchOptions.args ?? []), `--remote-debugging-port=${debuggingPort}`]
      await use({ ...launchOptions, args })
    },
    { scope: 'worker' },
  ],

  cdp: [
    async ({ browser: _browser, debuggingPort }, use) => {
      const cdp = await connectCdp(debuggingPort)
      await use(cdp)
      cdp.close()
    },
    { scope: 'worker' },
  ],

  companion: [
    // eslint-disable-next-line no-empty-pattern -- as above
    async ({}, use) => {
      const companion = await startCompanion()
      await use(companion)
      await companion.remove()
    },
    { scope: 'worker' },
  ],

  appUrl: [async ({ companion }, use) => use(companion.url), { scope: 'worker' }],

  phone: async ({ browser, cdp, companion, device }, use, testInfo) => {
    const phones: Phone[] = []
    await use(async (name, options = {}) => {
      const parts = { browser, cdp, appUrl: options.appUrl ?? companion.url, device }
      const phone = await openPhone(name, parts, options)
      phones.push(phone)
      return phone
    })
    const failed = testInfo.status !== testInfo.expectedStatus
    const log = phones.flatMap((phone) => phone.log).join('\n')
    if (failed) {
      await testInfo.attach('console', { body: log })
      await testInfo.attach('companion', { body: companion.log() })
    }
    try {
      // After a failure they would only hide its cause.
      if (!failed) for (const phone of phones) await checkInvariants(phone)
    } finally {
      for (const phone of phones) await phone.close()
    }
  },
})
