import { afterEach, describe, expect, it } from 'vitest'
import { closeTabs, openTab } from './tabs.ts'

afterEach(closeTabs)

describe.each([undefined, 'dedicated-worker'] as const)('connect (fallback: %s)', (fallback) => {
  const options = fallback === undefined ? {} : { fallback }

  it('starts the node and serves calls, streams and items', async () => {
    const tab = await openTab()
    const node = await tab.connect(options)
    expect((await node.status()).host).toBe(fallback ?? 'shared-worker')
    const bytes = crypto.getRandomValues(new Uint8Array(60_000))
    const added = await node.add([
      { path: 'a', content: new Blob([bytes]) },
      { path: 'b', content: new Blob([bytes, bytes]).stream() },
      { path: 'c', content: bytes.subarray(0, 10) },
    ])
    expect(added).toEqual({ cid: 'a', size: 180_010, files: 3 })
    const back = new Uint8Array(
      await new Response(node.cat('b', { offset: 59_990, length: 20 }) as BodyInit).arrayBuffer(),
    )
    expect([...back]).toEqual([...bytes.subarray(-10), ...bytes.subarray(0, 10)])
    const names = []
    for await (const { name } of node.ls('')) names.push(name)
    expect(names).toEqual(['a', 'b', 'c'])
    expect(() => node.watch('all' as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }) as Error)
    await node.close()
  })

  it('joins one node from several tabs', async () => {
    const tabs = await Promise.all([openTab(), openTab(), openTab()])
    const nodes = await Promise.all(tabs.map((tab) => tab.connect(options)))
    const ids = await Promise.all(nodes.map((node) => node.id()))
    expect(new Set(ids.map((id) => id.peerId)).size).toBe(1)
  })
})
