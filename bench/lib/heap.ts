/** Memory of JavaScript, apart for the page, the shared worker and the service worker of an origin: they may share a process. */
import type { Cdp, CdpSession } from '../../e2e/support/cdp.ts'
import { MiB } from './units.ts'

/** MiB beyond what was taken before, by type of target: `page`, `shared_worker`, `service_worker`. */
export type HeapPeaks = Record<string, number>

interface Watched {
  type: string
  session: CdpSession
  idle: number
}

const TYPES = new Set(['page', 'shared_worker', 'service_worker'])

/**
 * Resolves with the most that each took while `work` went on: objects, and the bytes of its buffers, garbage that nobody
 * has collected yet included. Each answers between two of its tasks.
 */
export async function heapDuring(
  cdp: Cdp,
  origin: string,
  work: () => Promise<unknown>,
  { sampleMs }: { sampleMs: number },
): Promise<HeapPeaks> {
  const targets = (await cdp.targets()).filter(({ type, url }) => TYPES.has(type) && url.startsWith(`${origin}/`))
  const watched = await Promise.all(
    targets.map(async ({ type, targetId }): Promise<Watched> => {
      const session = await cdp.attach(targetId)
      return { type, session, idle: await bytesOf(session) }
    }),
  )
  const peaks: HeapPeaks = Object.fromEntries(watched.map(({ type }) => [type, 0]))
  let over = false
  const watching = watched.map(async ({ type, session, idle }) => {
    while (!over) {
      const more = ((await bytesOf(session)) - idle) / MiB
      peaks[type] = Math.max(peaks[type] ?? 0, more)
      await new Promise((resolve) => setTimeout(resolve, sampleMs))
    }
  })
  try {
    await work()
  } finally {
    over = true
    await Promise.allSettled(watching)
    await Promise.allSettled(watched.map(({ session }) => session.detach()))
  }
  return peaks
}

async function bytesOf(session: CdpSession): Promise<number> {
  const { usedSize, embedderHeapUsedSize, backingStorageSize } = await session.send<{
    usedSize: number
    embedderHeapUsedSize: number
    backingStorageSize: number
  }>('Runtime.getHeapUsage')
  return usedSize + embedderHeapUsedSize + backingStorageSize
}
