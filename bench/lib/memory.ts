/** Memory of all processes of the browser, as Linux counts it: what several share counts once in all (PSS). */
import { readFile } from 'node:fs/promises'
import type { Cdp } from '../../e2e/support/cdp.ts'
import { MiB } from './units.ts'

/** Reading the maps of a process takes the kernel some ms: often enough for reads that last 200 ms and more. */
const SAMPLE_MS = 20
/** Garbage of what ran before is gone when the sum has not fallen by this share for three samples. */
const SETTLED = 0.01

/** MiB beyond what was taken before. */
export interface Peaks {
  /** Of all processes together. */
  all: number
  /** Of the one process of a type that took most of its type: `browser`, `renderer`, `utility`, … */
  byType: Record<string, number>
  /** Of all processes together, in the first and in the second half of the time: what piles up is more in the second. */
  halves: [number, number]
}

/** Resolves with the most memory that the browser took during `work` beyond what it took before, in MiB. */
export async function peakDuring(cdp: Cdp, work: () => Promise<unknown>): Promise<number> {
  return (await peaksDuring(cdp, work)).all
}

/** The same with each process for itself. `sampleMs`: how often to look. */
export async function peaksDuring(
  cdp: Cdp,
  work: () => Promise<unknown>,
  { sampleMs = SAMPLE_MS }: { sampleMs?: number } = {},
): Promise<Peaks> {
  const idle = await settled(cdp)
  const peaks: Peaks = { all: 0, byType: {}, halves: [0, 0] }
  const samples: { at: number; all: number }[] = []
  let over = false
  const look = async (): Promise<void> => {
    const now = await sizes(cdp)
    samples.push({ at: performance.now(), all: (sum(now) - sum(idle)) / MiB })
    for (const [id, { type, bytes }] of now) {
      const more = (bytes - (idle.get(id)?.bytes ?? 0)) / MiB
      peaks.byType[type] = Math.max(peaks.byType[type] ?? 0, more)
    }
  }
  const watching = (async () => {
    while (!over) {
      await look()
      await new Promise((resolve) => setTimeout(resolve, sampleMs))
    }
  })()
  try {
    await work()
  } finally {
    over = true
    await watching
  }
  const middle = ((samples[0]?.at ?? 0) + (samples.at(-1)?.at ?? 0)) / 2
  for (const { at, all } of samples) {
    const half = at < middle ? 0 : 1
    peaks.halves[half] = Math.max(peaks.halves[half], all)
  }
  peaks.all = Math.max(...peaks.halves)
  return peaks
}

/** By process id. */
type Sizes = Map<number, { type: string; bytes: number }>

async function settled(cdp: Cdp): Promise<Sizes> {
  let lowest = await sizes(cdp)
  for (let same = 0; same < 3;) {
    await new Promise((resolve) => setTimeout(resolve, 500))
    const now = await sizes(cdp)
    same = sum(now) < sum(lowest) * (1 - SETTLED) ? 0 : same + 1
    if (sum(now) < sum(lowest)) lowest = now
  }
  return lowest
}

async function sizes(cdp: Cdp): Promise<Sizes> {
  const { processInfo } = await cdp.send<{ processInfo: { id: number; type: string }[] }>('SystemInfo.getProcessInfo')
  return new Map(
    await Promise.all(processInfo.map(async ({ id, type }) => [id, { type, bytes: await proportional(id) }] as const)),
  )
}

function sum(sizes: Sizes): number {
  return [...sizes.values()].reduce((total, { bytes }) => total + bytes, 0)
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
