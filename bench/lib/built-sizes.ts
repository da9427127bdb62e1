/** What of the built app a phone loads before a first line runs, and what that may weigh. `npm test` holds it to that. */
import { graphOf, gzipBytes, scriptsOf, type Read } from './module-graph.ts'

export interface BuiltSize {
  /** Kebab case. */
  name: string
  title: string
  /** KiB of gzip. */
  atMost?: number
  paths: (read: Read) => Promise<string[]>
}

export const BUILT_SIZES: BuiltSize[] = [
  { name: 'first-screen', title: "First screen's script", atMost: 60, paths: (read) => scriptsOf(read, '/') },
  { name: 'worker', title: "The node's worker", atMost: 230, paths: (read) => graphOf(read, ['/node.js']) },
  { name: 'service-worker', title: 'Service worker', paths: (read) => graphOf(read, ['/service-worker.js']) },
  { name: 'embed', title: '/embed.js', paths: (read) => graphOf(read, ['/embed.js']) },
]

export interface Weight {
  /** gzip of each file, static imports included. */
  KiB: number
  files: string[]
}

export async function weigh({ paths }: BuiltSize, read: Read): Promise<Weight> {
  const files = await paths(read)
  return { KiB: (await gzipBytes(read, files)) / 1024, files }
}
