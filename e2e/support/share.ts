/** The first half of the main job by the client API: for tests of what comes after it. */
import { writeFile } from 'node:fs/promises'
import { expect, test, type Page } from '@playwright/test'
import type { PeerConnection } from '../../src/contract/node-api.ts'
import type { RandomFile } from './files.ts'
import { addPicked, onNode, placeInput } from './on-node.ts'

export interface Shared {
  cid: string
  /** The link, with an address at which the sender can be dialled. */
  url: string
  peerId: string
  /** The sender's WebRTC address through its relay. */
  webrtcAddr: string
}

/** How long a reservation at the relay may take, in ms. */
const REACHABLE_MS = 20_000

export async function addFile(page: Page, file: RandomFile): Promise<string> {
  // By way of the disk: what Playwright itself carries is limited to 50 MB.
  const path = test.info().outputPath(file.name)
  await writeFile(path, file.buffer)
  await page.locator(await placeInput(page)).setInputFiles(path)
  return (await addPicked(page)).cid
}

/** Adds a file and makes its link, once the phone can be reached. */
export async function shareFile(page: Page, file: RandomFile): Promise<Shared> {
  const cid = await addFile(page, file)
  await untilReachable(page)
  const { url } = await onNode(page, (node, argument) => node.share(argument.cid), { cid })
  const { peerId, multiaddrs } = await onNode(page, (node) => node.id())
  const webrtcAddr = multiaddrs.find((addr) => addr.includes('/p2p-circuit/webrtc')) ?? ''
  return { cid, url, peerId, webrtcAddr }
}

/** Waits until others can dial the node: WebRTC through the relay included. */
async function untilReachable(page: Page): Promise<void> {
  const addresses = (): Promise<string[]> => onNode(page, async (node) => (await node.id()).multiaddrs)
  await expect.poll(addresses, { timeout: REACHABLE_MS }).toContainEqual(expect.stringContaining('/p2p-circuit/webrtc'))
}

/** The connections of a node to one peer. */
export async function linksTo(page: Page, peerId: string): Promise<PeerConnection[]> {
  return onNode(
    page,
    async (node, argument) => (await node.peers()).filter((each) => each.peerId === argument.peerId),
    {
      peerId,
    },
  )
}
