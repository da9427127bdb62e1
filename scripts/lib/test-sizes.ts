/** Holds the built app to its sizes. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BUILT_SIZES, weigh } from '../../bench/lib/built-sizes.ts'
import type { Counts } from './test-counts.ts'

/** Each limit counts as one test. `why` says what is too large, and what it is made of. */
export async function checkSizes(dist: string, log: (line: string) => void): Promise<Counts & { why?: string }> {
  const read = (path: string): Promise<Uint8Array> => readFile(join(dist, path === '/' ? 'index.html' : path))
  const tooLarge: string[] = []
  let passed = 0
  for (const size of BUILT_SIZES) {
    const { title, atMost } = size
    if (atMost === undefined) continue
    const { KiB, files } = await weigh(size, read)
    const line = `${title}: ${KiB.toFixed(1)} KiB gzip, at most ${atMost}`
    log(line)
    if (KiB > atMost) tooLarge.push(`${line} (${files.join(', ')})`)
    else passed++
  }
  const counts = { passed, failed: tooLarge.length, skipped: 0 }
  return tooLarge.length === 0 ? counts : { ...counts, why: tooLarge.join('; ') }
}
