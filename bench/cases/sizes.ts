/** Bytes that a phone loads, gzip. */
import { BUILT_SIZES, weigh, type BuiltSize } from '../lib/built-sizes.ts'
import type { Case } from '../lib/case.ts'
import type { Read } from '../lib/module-graph.ts'

export const sizes: Case[] = BUILT_SIZES.map(caseOf)

function caseOf(size: BuiltSize): Case {
  const { name, title, atMost } = size
  return {
    name: `size-${name}`,
    title,
    unit: 'KiB',
    better: 'less',
    ...(atMost === undefined ? {} : { aims: [{ of: 'ours', is: 'at most', value: atMost }] }),
    rounds: 1,
    warmups: 0,
    minutes: 0.02,
    async open({ appUrl }) {
      const read: Read = async (path) => {
        const response = await fetch(appUrl + path)
        if (!response.ok) throw new Error(`${path}: ${response.status}`)
        return new Uint8Array(await response.arrayBuffer())
      }
      const { KiB, files } = await weigh(size, read)
      return {
        ours: { label: 'gzip, static imports included', run: () => Promise.resolve(KiB) },
        notes: () => [`${files.length} ${files.length === 1 ? 'file' : 'files'}: ${files.join(', ')}`],
        close: async () => undefined,
      }
    },
  }
}
