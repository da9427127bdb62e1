/** Bytes that a phone loads, gzip. */
import type { Case } from '../lib/case.ts'
import { graphOf, gzipBytes, scriptsOf, type Read } from '../lib/module-graph.ts'

export const sizes: Case[] = [
  size('size-first-screen', "First screen's script", 60, (read) => scriptsOf(read, '/')),
  size('size-worker', "The node's worker", 230, (read) => graphOf(read, ['/node.js'])),
  size('size-service-worker', 'Service worker', undefined, (read) => graphOf(read, ['/service-worker.js'])),
  size('size-embed', '/embed.js', undefined, (read) => graphOf(read, ['/embed.js'])),
]

function size(name: string, title: string, atMost: number | undefined, paths: (read: Read) => Promise<string[]>): Case {
  return {
    name,
    title,
    unit: 'KiB',
    better: 'less',
    ...(atMost === undefined ? {} : { aim: { of: 'ours', is: 'at most', value: atMost } }),
    rounds: 1,
    warmups: 0,
    async open({ appUrl }) {
      const read: Read = async (path) => {
        const response = await fetch(appUrl + path)
        if (!response.ok) throw new Error(`${path}: ${response.status}`)
        return new Uint8Array(await response.arrayBuffer())
      }
      const files = await paths(read)
      return {
        ours: { label: 'gzip, static imports included', run: async () => (await gzipBytes(read, files)) / 1024 },
        notes: () => [`${files.length} ${files.length === 1 ? 'file' : 'files'}: ${files.join(', ')}`],
        close: async () => undefined,
      }
    },
  }
}
