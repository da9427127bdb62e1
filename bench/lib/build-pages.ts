import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const PAGES = fileURLToPath(new URL('../pages', import.meta.url))
const page = (path: string): string => join(PAGES, path)

/** Scripts by the name under which they are served. */
const SCRIPTS = {
  echo: page('raw/echo.ts'),
  raw: page('raw/worker.ts'),
  stock: page('stock/worker.ts'),
  stack: page('stack/page.ts'),
  save: page('save/page.ts'),
  store: page('store/page.ts'),
  wire: page('wire/worker.ts'),
}

/** Builds the bench's own scripts into `folder`, never into dist. Resolves with their texts by URL path. */
export async function buildPages(folder: string, minify = true): Promise<Record<string, string>> {
  await mkdir(folder, { recursive: true })
  await build({
    root: PAGES,
    configFile: false,
    logLevel: 'error',
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: 'es2022',
      minify,
      modulePreload: false,
      chunkSizeWarningLimit: 4096,
      rolldownOptions: {
        // What pages import of them by name.
        preserveEntrySignatures: 'exports-only',
        input: SCRIPTS,
        output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  })
  const files = (await readdir(folder)).filter((name) => name.endsWith('.js'))
  return Object.fromEntries(
    await Promise.all(files.map(async (name) => [`/${name}`, await readFile(join(folder, name), 'utf8')] as const)),
  )
}
