import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'

/** An installed Chromium where there is one; `npm test` passes its choice in CHROMIUM_PATH. */
const executablePath =
  process.env.CHROMIUM_PATH ?? ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path))

/** interface-blockstore-tests asks for Chai from its build tool, which nobody here needs. */
const resolve = { alias: { 'aegir/chai': fileURLToPath(new URL('test/support/node/aegir-chai.ts', import.meta.url)) } }

export default defineConfig({
  test: {
    // Two cores: parallel files only make time-outs.
    fileParallelism: false,
    projects: [
      {
        plugins: [svelte()],
        resolve,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.spec.ts'],
          environment: 'node',
          server: { deps: { inline: ['interface-blockstore-tests'] } },
          testTimeout: 20_000,
        },
      },
      {
        plugins: [svelte()],
        resolve,
        worker: { format: 'es' },
        // What workers import is found before the first test: found later, it would reload the pages in mid-run.
        optimizeDeps: { entries: ['src/hosts/node-worker/index.ts', 'test/browser/**/*.ts'] },
        test: {
          name: 'browser',
          include: ['test/browser/**/*.spec.ts'],
          testTimeout: 30_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                ...(executablePath === undefined ? {} : { executablePath }),
                args: [
                  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
                  '--disable-background-networking',
                  '--disable-component-update',
                  '--disable-sync',
                  '--no-first-run',
                ],
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
})
