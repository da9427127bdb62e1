/** What runs in the pages of two phones: nothing outside of each function is there. */
import type { PocketNode } from '../../src/contract/node-api.ts'

/** Adds a file and resolves with its link once the node can be reached at it. */
export async function share({ node, file }: { node: PocketNode; file: File }): Promise<{
  cid: string
  url: string
  peerId: string
}> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the sender got no relay')), 15_000)
    const watching = node.watch((event) => {
      if (event.type !== 'status' || !event.status.reachable) return
      clearTimeout(timer)
      resolve()
      queueMicrotask(() => watching.stop())
    })
  })
  const { cid } = await node.add(file)
  const { url, reachable } = await node.share(cid)
  if (!reachable) throw new Error('the link carries no address')
  const { peerId } = await node.id()
  return { cid, url, peerId }
}

/** Opens a link; resolves with ms until there is a direct WebRTC connection with the sender. */
export async function connectDirectly({
  node,
  url,
  peerId,
}: {
  node: PocketNode
  url: string
  peerId: string
}): Promise<number> {
  const start = performance.now()
  await node.open(url)
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no direct connection with the sender')), 20_000)
    const watching = node.watch((event) => {
      if (event.type !== 'peers') return
      if (!event.peers.some((peer) => peer.peerId === peerId && peer.direct && peer.transport === 'webrtc')) return
      clearTimeout(timer)
      resolve()
      queueMicrotask(() => watching.stop())
    })
  })
  return performance.now() - start
}

/** Throws unless the file is here whole and came over a connection that is direct still. */
export async function checkReceived({
  node,
  cid,
  peerId,
  bytes,
}: {
  node: PocketNode
  cid: string
  peerId: string
  bytes: number
}): Promise<void> {
  const { local, size } = await node.stat(cid)
  if (!local.complete || size !== bytes) throw new Error(`${local.bytes} of ${bytes} bytes are here`)
  const peers = await node.peers()
  if (!peers.some((peer) => peer.peerId === peerId && peer.direct && peer.transport === 'webrtc')) {
    throw new Error(`not direct: ${JSON.stringify(peers.filter((peer) => peer.peerId === peerId))}`)
  }
}
