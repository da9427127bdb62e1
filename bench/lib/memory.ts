/** Memory of all processes of the browser, as Linux counts it: what several share counts once in all (PSS). */
import { readFile } from 'node:fs/promises'
import type { Cdp } from '../../e2e/support/cdp.ts'
import { MiB } from './units.ts'

/** Reading the maps of a process takes the kernel some ms: often enough for reads that last 200 ms and more. */
const SAMPLE_MS = 20
/** Garbage of what ran before is gone when the sum has not fallen by this share for three samples. */
const SETTLED = 0.01

/** Resolves with the most memory that the browser took during `work` beyond what it took before, in MiB. */
export async function peakDuring(cdp: Cdp, work: () => Promise<unknown>): Promise<number> {
  const idle = await settled(cdp)
  let peak = idle
  let over = false
  const watching = (async () => {
    while (!over) {
      peak = Math.max(peak, await total(cdp))
      await delay()
    }
  })()
  try {
    await work()
  } finally {
    over = true
    await watching
  }
  return (peak - idle) / MiB
}

async function settled(cdp: Cdp): Promise<number> {
  let lowest = await total(cdp)
  for (let same = 0; same < 3;) {
    await new Promise((resolve) => setTimeout(resolve, 500))
    const now = await total(cdp)
    same = now < lowest * (1 - SETTLED) ? 0 : same + 1
    lowest = Math.min(lowest, now)
  }
  return lowest
}

/** In bytes. */
async function total(cdp: Cdp): Promise<number> {
  const { processInfo } = await cdp.send<{ processInfo: { id: number }[] }>('SystemInfo.getProcessInfo')
  const sizes = await Promise.all(processInfo.map(({ id }) => proportional(id)))
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function proportional(pid: number): Promise<number> {
  try {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
    return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024
  } catch {
    // It has ended since it was listed.
    return 0
  }
}

function delay(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SAMPLE_MS))
}
