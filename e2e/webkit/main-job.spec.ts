import { writeFile } from 'node:fs/promises'
import { expect, test } from '@playwright/test'
import { startCompanion, type Companion } from '../support/companion.ts'
import { randomFile } from '../support/files.ts'
import { startHeliaPeer, type HeliaPeer } from '../support/helia-peer.ts'
import { addPicked, contentSha256, facts, kept, onNode, placeInput, shellReady } from '../support/on-node.ts'
import { launchWebKit, type WebKit } from '../support/webkit.ts'

const MiB = 1024 * 1024

test.describe('the app in WebKit', () => {
  let companion: Companion
  let peer: HeliaPeer
  let webkit: WebKit
  test.beforeEach(async () => {
    companion = await startCompanion()
    peer = await startHeliaPeer()
    webkit = await launchWebKit()
    await webkit.goto(companion.url)
  })
  test.afterEach(async () => {
    if (test.info().status !== 'passed') await test.info().attach('companion', { body: companion.log() })
    await webkit.close()
    await peer.stop()
    await companion.remove()
  })

  const dialPeer = (): Promise<object> =>
    onNode(webkit, (node, { target }) => node.dial(target), { target: peer.multiaddr })

  test('starts its node in a shared worker that says what it lacks', async () => {
    // Local content is answered before the network is up.
    await expect.poll(async () => (await facts(webkit)).status.state).toBe('running')
    const { id, status } = await facts(webkit)
    expect(id.peerId).toMatch(/^12D3KooW/)
    expect(status).toMatchObject({ state: 'running', host: 'shared-worker', webrtc: 'unsupported' })
    expect(status.storage.kind).toBe('persistent')
  })

  test('gives a file to a stranger over WebSocket', async () => {
    const file = randomFile(5 * MiB, 'from webkit')
    const path = test.info().outputPath(file.name)
    await writeFile(path, file.buffer)
    await webkit.sendKeys(await placeInput(webkit), path)
    const { cid } = await addPicked(webkit)
    expect(await dialPeer()).toMatchObject({ transport: 'websocket' })
    expect(await peer.fetchSha256(cid, 30_000)).toBe(file.sha256)
  })

  test('fetches a file over WebSocket and has it after a reload without a network', async () => {
    const file = randomFile(5 * MiB, 'to webkit')
    const cid = await peer.add(file.buffer)
    const dialled = await dialPeer()
    expect(dialled).toMatchObject({ peerId: peer.peerId, transport: 'websocket', direct: true })
    await onNode(webkit, async (node, { path, name }) => void (await node.pin.add(path, { name })), {
      path: cid,
      name: file.name,
    })
    expect(await contentSha256(webkit, cid)).toBe(file.sha256)
    await shellReady(webkit)

    // All there was of a network.
    await companion.stop()
    await peer.stop()
    await webkit.reload()
    await expect.poll(() => webkit.evaluate(() => document.body.innerText), { timeout: 20_000 }).toContain(file.name)
    expect(await kept(webkit)).toMatchObject({ [file.name]: cid })
    expect(await contentSha256(webkit, cid)).toBe(file.sha256)
  })
})
