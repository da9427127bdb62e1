import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PocketNode } from '../../../src/client/index.ts'
import { LENDER_LOCK } from '../../../src/contract/host-link.ts'
import { closeTabs, locks, openTab } from './tabs.ts'

afterEach(closeTabs)
beforeEach(async () => {
  for (const { name = '' } of await indexedDB.databases()) {
    await new Promise((resolve) => (indexedDB.deleteDatabase(name).onsuccess = resolve))
  }
})

describe.each([{}, { fallback: 'dedicated-worker' }] as const)('the node itself (%j)', (options) => {
  const join = async (): Promise<PocketNode> => (await openTab()).connectReal(options)

  it('keeps files and identity over its hosts', async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(60_000))
    const file = new File([...Array.from({ length: 50 }, () => bytes)], 'noise.bin')
    const first = await join()
    const second = await join()
    const progress: number[] = []
    const { cid, size } = await first.add(file, { onProgress: ({ bytes: done }) => progress.push(done) })
    expect(size).toBe(3_000_000)
    expect(progress.at(-1)).toBe(3_000_000)
    const { peerId } = await first.id()
    expect((await second.id()).peerId).toBe(peerId)
    expect((await read(second, cid, 2_990_000)).length).toBe(10_000)
    await closeTabs()

    const third = await join()
    expect((await third.id()).peerId).toBe(peerId)
    expect(await read(third, cid, 59_990, 20)).toEqual(
      new Uint8Array([...bytes.subarray(-10), ...bytes.subarray(0, 10)]),
    )
    const pins = []
    for await (const pin of third.pin.ls()) pins.push(pin)
    expect(pins).toMatchObject([{ cid, name: 'noise.bin', size: 3_000_000 }])
  })

  it('borrows WebRTC from a page, the one after it, and a page that has only a channel to the host', async () => {
    const [host, lender, next] = [await openTab(), await openTab(), await openTab()]
    // What a page hides from its own client it cannot lend.
    Reflect.deleteProperty(host.window, 'RTCPeerConnection')
    const node = await host.connectReal(options)
    const webrtc = async (): Promise<string> => (await node.status()).webrtc
    expect(await webrtc()).not.toBe('available')
    await lender.connectReal(options)
    await expect.poll(webrtc).toBe('available')
    await next.connectReal(options)
    const [first] = await lenders()
    lender.close()
    await expect.poll(lenders).toEqual([expect.not.stringContaining(first!)])
    await expect.poll(webrtc).toBe('available')
  })

  it('answers bad arguments with a code', async () => {
    const node = await join()
    await expect(node.stat('no cid')).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_INVALID_/) as string })
    await expect(node.stat(7 as unknown as string)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    await expect(node.add('text' as unknown as Blob)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    await expect(node.cat('', { offset: -1 }).getReader().read()).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
    await expect(node.dial('nowhere')).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_INVALID_/) as string })
    // The network comes up beside what was asked.
    await expect.poll(async () => (await node.status()).state).toBe('running')
  })
})

async function lenders(): Promise<string[]> {
  // Held by the page and waited for by the host.
  return [...new Set(await locks())].filter((name) => name.startsWith(`${LENDER_LOCK}:`))
}

async function read(node: PocketNode, cid: string, offset: number, length?: number): Promise<Uint8Array> {
  const stream = node.cat(cid, { offset, ...(length === undefined ? {} : { length }) })
  return new Uint8Array(await new Response(stream as BodyInit).arrayBuffer())
}
