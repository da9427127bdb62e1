import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'
import { leftOut } from './scripts/lib/left-out.ts'
import { oneCopy } from './scripts/lib/one-copy.ts'
import { selfContained } from './scripts/lib/self-contained.ts'
import { manifest } from './src/app/manifest.ts'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** Taken from the top level, so that a bundle has one copy (one-copy.ts checks). protons-runtime 7 and 8 differ in types only. */
const dedupe = ['protons-runtime', 'uint8arrays', 'multiformats']

/** Names that other code relies on stay stable: pages of any build must meet in one worker, embedders import /embed.js. */
const STABLE = new Map([['embed', 'embed.js']])

export default defineConfig({
  root: path('.'),
  publicDir: 'public',
  resolve: { dedupe },
  plugins: [
    svelte(),
    oneCopy(),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src/hosts/service-worker',
      filename: 'service-worker.ts',
      registerType: 'prompt',
      injectRegister: false,
      manifest,
      injectManifest: {
        globPatterns: ['**/*.{js,css,html,svg,png,webmanifest}'],
        maximumFileSizeToCacheInBytes: 4 * 1024 * 1024,
      },
      devOptions: { enabled: false },
    }),
  ],
  worker: {
    format: 'es',
    plugins: () => [leftOut(), oneCopy(), selfContained()],
    rolldownOptions: {
      output: { entryFileNames: 'node.js', chunkFileNames: 'node-[name].js' },
    },
  },
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    sourcemap: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1024,
    rolldownOptions: {
      // A library entry beside the app: its exports must survive.
      preserveEntrySignatures: 'exports-only',
      input: { app: path('index.html'), embed: path('src/client/embed.ts') },
      output: {
        entryFileNames: (chunk) => STABLE.get(chunk.name) ?? 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        // What is loaded at once is one file, and one more that /embed.js has too: each small file compresses worse.
        codeSplitting: {
          groups: [
            { name: 'client', test: /\/src\/(client|rpc|contract|shared)\//, tags: ['$initial'], priority: 1 },
            { name: 'app', tags: ['$initial'] },
          ],
        },
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
})
