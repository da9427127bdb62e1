import js from '@eslint/js'
import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import { defineConfig, globalIgnores } from 'eslint/config'
import ts from 'typescript-eslint'
import svelteConfig from './svelte.config.js'

/** Rooms and the ones they must not import; dependency-cruiser checks the same from the other side. */
const FORBIDDEN = {
  shared: ['contract', 'rpc', 'core', 'platform', 'hosts', 'client', 'app', 'companion'],
  contract: ['rpc', 'core', 'platform', 'hosts', 'client', 'app', 'companion'],
  rpc: ['core', 'platform', 'hosts', 'client', 'app', 'companion'],
  core: ['rpc', 'platform', 'hosts', 'client', 'app', 'companion'],
  platform: ['hosts', 'client', 'app', 'companion'],
  hosts: ['client', 'app', 'companion'],
  client: ['core', 'hosts/service-worker', 'app', 'companion'],
  app: ['core', 'platform', 'hosts', 'rpc', 'companion'],
  companion: ['rpc', 'core', 'platform', 'hosts', 'client', 'app'],
}

/** Of the node alone: what a page gets from them crosses the port as strings. */
const NODE_ONLY = ['helia', '@helia/*', 'libp2p', '@libp2p/*', 'multiformats', '@multiformats/*', '@ipld/*'].concat([
  ...['ipfs-unixfs', 'ipfs-unixfs-*', 'interface-*', 'blockstore-*', 'datastore-*'],
])
const PAGES = ['app', 'client', 'contract', 'rpc', 'shared', 'platform/page']

/** The last that fits a file counts: the page's half of platform is told apart from the whole. */
const oneWay = Object.entries({ ...FORBIDDEN, 'platform/page': [...FORBIDDEN.platform, 'core'] }).map(
  ([room, forbidden]) => ({
    files: [`src/${room}/**/*.{ts,svelte}`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...forbidden.map((name) => ({
              group: [`**/${name}/**`],
              message: `src/${room} must not import src/${name} (docs/ARCHITECTURE.md).`,
            })),
            ...(PAGES.includes(room)
              ? [{ group: NODE_ONLY, message: `src/${room} runs in pages: this is the node's (docs/ARCHITECTURE.md).` }]
              : []),
          ],
        },
      ],
    },
  }),
)

export default defineConfig(
  globalIgnores(['dist', 'node_modules', 'test-results', 'playwright-report', '.cache', '.data', 'docs/benchmarks']),
  js.configs.recommended,
  ts.configs.recommendedTypeChecked,
  svelte.configs.recommended,
  {
    languageOptions: {
      parserOptions: {
        project: [
          'src/tsconfig.core.json',
          'src/tsconfig.worker.json',
          'src/tsconfig.service-worker.json',
          'src/tsconfig.page.json',
          'src/tsconfig.node.json',
          'test/tsconfig.unit.json',
          'test/tsconfig.app.json',
          'test/tsconfig.browser.json',
          'test/tsconfig.worker.json',
          'e2e/tsconfig.json',
        ],
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.svelte'],
      },
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Interfaces of streams and stores ask for async methods that need not wait.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { globals: globals.browser, parserOptions: { parser: ts.parser, svelteConfig } },
  },
  ...oneWay,
  {
    // The core runs in any worker and under Node: what only one of them has comes through ports.ts.
    files: ['src/core/**/*.ts', 'src/shared/**/*.ts', 'src/contract/**/*.ts', 'src/rpc/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['self', 'window', 'document', 'navigator', 'location', 'indexedDB', 'caches', 'localStorage', 'clients'],
        ...['BroadcastChannel', 'registration', 'WebSocket', 'WebTransport', 'fetch', 'postMessage', 'importScripts'],
      ],
    },
  },
  {
    files: ['src/companion/**', 'scripts/**', 'bench/**', 'e2e/**', 'test/**', '*.config.ts'],
    languageOptions: { globals: globals.node },
    rules: { 'no-console': 'off' },
  },
  {
    // Plain JavaScript: configuration, and the script that runs before anything is installed.
    files: ['**/*.{js,cjs,mjs}'],
    extends: [ts.configs.disableTypeChecked],
    languageOptions: { globals: globals.node },
    rules: { 'no-console': 'off' },
  },
  { files: ['public/**/*.js'], languageOptions: { globals: globals.browser } },
)
