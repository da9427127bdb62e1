import { afterEach, describe, expect, it } from 'vitest'
import type { NodeEvent, PocketNode } from '../../../src/client/index.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { closeTabs, openTab, type Tab } from './tabs.ts'

afterEach(closeTabs)

/** What the issue allows from the death or silence of a host to the next one's first answer, in ms. */
const REPLACED_MS = 1_500
/** A death is noticed at once by its lock; what is left is the next start. */
const DEAD_MS = 500

describe.each([undefined, 'dedicated-worker'] as const)('a lost host (fallback: %s)', (fallback) => {
  const options = fallback === undefined ? {} : { fallback }

  async function join(count: number) {
    const tabs: Tab[] = []
    const nodes: PocketNode[] = []
    let startMs = 0
    for (let i = 0; i < count; i++) {
      const tab = await openTab()
      tabs.push(tab)
      const before = performance.now()
      nodes.push(await tab.connect(options))
      if (i === 0) startMs = performance.now() - before
    }
    return { tabs, nodes, startMs, peerId: (await nodes[0]!.id()).peerId }
  }

  it.each([
    ['!exit', DEAD_MS],
    ['!hang', REPLACED_MS],
  ])('is replaced for all pages in time (%s, %i ms)', async (end, limitMs) => {
    const { nodes, startMs, peerId } = await join(3)
    const events = nodes.map(record)
    const watch = watchStalls()
    const died = performance.now()
    const dialled = codeOf(nodes[0]!.dial(end))
    // Asked at once, while nobody knows yet: answered by the next host.
    const ids = await Promise.all(nodes.map((node) => nextId(node, peerId)))
    // The worker comes unbundled from a development server: what its first start took is not held against it.
    expect(performance.now() - died).toBeLessThan(limitMs + startMs + watch.allowance())
    expect(new Set(ids).size).toBe(1)
    expect(await dialled).toBe('ERR_HOST_LOST')
    for (const seen of events) {
      await seen.statusAfterReady()
      expect(seen.hosts()).toEqual(['lost', 'ready'])
    }
  })

  it.each(['!exit', '!hang'])('fails what may not be done twice, goes on with what may (%s)', async (end) => {
    const { nodes, peerId } = await join(2)
    const [first, second] = nodes as [PocketNode, PocketNode]
    const failing = [
      first.pin.add('x'),
      first.dial('y'),
      second.add(new Blob(['x']).stream().pipeThrough(stalled())),
      collect(second.ls('!wait'), 1),
    ].map(codeOf)
    await second.add([{ path: 'seen', content: new Blob(['x']) }])
    const reader = second.cat('!endless').getReader()
    await readTo(reader, 20_000)
    const going = first.stat('!wait').catch((error: { code: string }) => error.code)
    void codeOf(first.dial(end))
    expect(await readTo(reader, 60_000, 20_000)).toBe(60_000)
    expect(await nextId(second, peerId)).not.toBe(peerId)
    for (const code of await Promise.all(failing.slice(0, 3))) expect(code).toBe('ERR_HOST_LOST')
    // Asked again at the next host, where it waits again.
    const still = await Promise.race([going, first.id().then(() => 'waiting')])
    expect(still).toBe('waiting')
    await reader.cancel()
  })

  it('is found silent and replaced by a page that comes later', async () => {
    const { tabs, nodes, peerId } = await join(1)
    void codeOf(nodes[0]!.dial('!hang'))
    const late = await openTab()
    // Nobody but the newcomer can find out: the page that was there is gone before it does.
    if (fallback === undefined) await nodes[0]!.close()
    else tabs[0]!.window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
    const node = await late.connect(options)
    expect((await node.id()).peerId).not.toBe(peerId)
  })
})

function record(node: PocketNode) {
  const events: NodeEvent[] = []
  let wake = (): void => undefined
  node.watch((event) => {
    events.push(event)
    wake()
  })
  return {
    hosts: () => events.flatMap((event) => (event.type === 'host' ? [event.host] : [])),
    async statusAfterReady() {
      const found = (): boolean => {
        const ready = events.findIndex((event) => event.type === 'host' && event.host === 'ready')
        return ready >= 0 && events.slice(ready).some((event) => event.type === 'status')
      }
      while (!found()) await new Promise<void>((resolve) => (wake = resolve))
    },
  }
}

/** On a busy machine this page is late, and late pages give their host more time: as much as they must. */
function watchStalls() {
  const TICK_MS = 20
  let last = performance.now()
  let stalled = 0
  const timer = setInterval(() => {
    const gap = performance.now() - last - TICK_MS
    last += gap + TICK_MS
    if (gap > TICK_MS) stalled += gap
    if (gap > LIMITS.heartbeatMs / 2) stalled += LIMITS.heartbeatTimeoutMs / 2
  }, TICK_MS)
  return {
    allowance: () => {
      clearInterval(timer)
      return stalled
    },
  }
}

/** The id of the node once it is another one. */
async function nextId(node: PocketNode, peerId: string): Promise<string> {
  for (;;) {
    const id = await node.id()
    if (id.peerId !== peerId) return id.peerId
  }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: { code: string }) => error.code,
  )
}

/** Reads bytes that tell their own offset, and checks them. */
async function readTo(reader: ReadableStreamDefaultReader<Uint8Array>, end: number, start = 0): Promise<number> {
  let at = start
  while (at < end) {
    const { value = new Uint8Array() } = await reader.read()
    for (const byte of value) if (byte !== at++ % 251) throw new Error(`Byte ${at} is another one`)
  }
  return at
}

async function collect<T>(items: AsyncIterable<T>, more = 0): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all.slice(more)
}

function stalled(): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({ flush: () => new Promise(() => undefined) })
}
