/** Bytes that a phone loads, gzip. */
import { fileURLToPath } from 'node:url'
import type { Case } from '../lib/case.ts'
import { graphOf, gzipBytes, scriptsOf } from '../lib/module-graph.ts'

const DIST = fileURLToPath(new URL('../../dist', import.meta.url))

export const sizes: Case[] = [
  size('size-first-screen', "First screen's script", 60, () => scriptsOf(DIST, 'index.html')),
  size('size-worker', "The node's worker", 230, () => graphOf(DIST, ['/node.js'])),
  size('size-service-worker', 'Service worker', undefined, () => graphOf(DIST, ['/service-worker.js'])),
  size('size-embed', '/embed.js', undefined, () => graphOf(DIST, ['/embed.js'])),
]

function size(name: string, title: string, atMost: number | undefined, paths: () => Promise<string[]>): Case {
  return {
    name,
    title,
    unit: 'KiB',
    better: 'less',
    ...(atMost === undefined ? {} : { aim: { of: 'ours', is: 'at most', value: atMost } }),
    rounds: 1,
    warmups: 0,
    async open() {
      const files = await paths()
      return {
        ours: { label: 'gzip, static imports included', run: async () => (await gzipBytes(DIST, files)) / 1024 },
        notes: () => [`${files.length} ${files.length === 1 ? 'file' : 'files'}: ${files.join(', ')}`],
        close: async () => undefined,
      }
    },
  }
}
