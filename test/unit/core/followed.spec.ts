import { describe, expect, it } from 'vitest'
import type { PeerConnection } from '../../../src/contract/node-api.ts'
import { startNode, untilPeers, type TestNode } from '../../support/node/node.ts'
import { startRelay, type TestRelay } from '../../support/node/relay.ts'

const CID = 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'

function linkTo(addr: string): string {
  return `https://pocket.example/#/get/${CID}?via=${encodeURIComponent(addr)}`
}

/** A node that is told when it is online. */
async function startPhone(): Promise<TestNode & { setOnline(online: boolean): void }> {
  let online = true
  const listeners = new Set<(online: boolean) => void>()
  const node = await startNode({
    ports: {
      network: {
        online: () => online,
        watch: (listener) => {
          listeners.add(listener)
          return () => void listeners.delete(listener)
        },
      },
    },
  })
  return Object.assign(node, {
    setOnline(value: boolean) {
      online = value
      for (const listener of listeners) listener(value)
    },
  })
}

const isAt =
  (addr: string) =>
  (peers: PeerConnection[]): boolean =>
    peers.some((peer) => peer.addr === addr)

async function untilDialledAgain(node: TestNode, peer: TestRelay): Promise<void> {
  const [first] = await node.peers()
  await peer.dropConnections()
  await untilPeers(node, (peers) => isAt(peer.addr)(peers) && peers[0]?.openedAt !== first?.openedAt)
}

describe('the peer of a link', () => {
  it('is dialled, and again when the connection is lost', async () => {
    await using peer = await startRelay()
    await using node = await startPhone()
    await node.open(linkTo(peer.addr))
    await untilPeers(node, isAt(peer.addr))
    await untilDialledAgain(node, peer)
  })

  it('is dialled although another hint of the link is no address', async () => {
    await using peer = await startRelay()
    await using node = await startPhone()
    const { via } = await node.open(`${linkTo('/ip4/999.1.1.1/tcp/1/ws')}&via=${encodeURIComponent(peer.addr)}`)
    expect(via).toEqual([peer.addr])
    await untilPeers(node, isAt(peer.addr))
  })

  it('that a fetch was told of is dialled once with that of the link, and again when the connection is lost', async () => {
    await using peer = await startRelay()
    await using node = await startPhone()
    const link = linkTo(peer.addr)
    const { via } = await node.open(link)
    const { id } = await node.transfers.start({ cid: CID, from: via })
    await untilPeers(node, isAt(peer.addr))
    expect(await node.peers()).toHaveLength(1)
    expect(peer.accepted()).toBe(1)
    await untilDialledAgain(node, peer)
    await node.transfers.cancel(id)
  })

  it('that only a fetch was told of is dialled again too', async () => {
    await using peer = await startRelay()
    await using node = await startPhone()
    const stop = new AbortController()
    const adding = node.pin.add(CID, { from: [peer.addr], signal: stop.signal })
    await untilPeers(node, isAt(peer.addr))
    await untilDialledAgain(node, peer)
    stop.abort()
    await expect(adding).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  })

  it('is left alone when a person hangs up', async () => {
    await using peer = await startRelay()
    await using node = await startPhone()
    await node.open(linkTo(peer.addr))
    await untilPeers(node, isAt(peer.addr))
    await node.hangUp((await node.peers())[0]?.peerId ?? '')
    node.setOnline(true)
    // A dial over loopback takes some 20 ms.
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(await node.peers()).toEqual([])
  })

  it('is dialled when the network comes back', async () => {
    await using peer = await startRelay()
    await using node = await startPhone()
    node.setOnline(false)
    await node.open(linkTo(peer.addr))
    expect(await node.peers()).toEqual([])
    node.setOnline(true)
    await untilPeers(node, isAt(peer.addr))
  })
})
