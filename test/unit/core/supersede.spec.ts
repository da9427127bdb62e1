import type { Connection, Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { supersedeOldConnections } from '../../../src/core/network/supersede.ts'

const PEER = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
const RELAY = `/ip4/1.2.3.4/tcp/1/ws/p2p/${PEER}`
const WEBRTC = `${RELAY}/p2p-circuit/webrtc/p2p/${PEER}`

/** WebRTC needs a browser: what is asked of libp2p here is two connections and the news of one. */
function open(old: { addr: string; at: number }, fresh: { addr: string; at: number }): boolean {
  let ended = false
  const [before, after] = [old, fresh].map(({ addr, at }, id) => ({
    id: String(id),
    remoteAddr: multiaddr(addr),
    timeline: { open: at },
    abort: () => void (ended = true),
  })) as unknown as [Connection, Connection]
  const libp2p = Object.assign(new EventTarget(), { getConnections: () => [before, after] })
  supersedeOldConnections(libp2p as unknown as Libp2p)
  libp2p.dispatchEvent(new CustomEvent('connection:open', { detail: after }))
  return ended
}

describe('a new WebRTC connection of a peer', () => {
  it('ends the older one', () => {
    expect(open({ addr: WEBRTC, at: 1000 }, { addr: WEBRTC, at: 9000 })).toBe(true)
  })

  it('spares one of the same moment: both phones may have dialled', () => {
    expect(open({ addr: WEBRTC, at: 1000 }, { addr: WEBRTC, at: 1500 })).toBe(false)
  })

  it('spares other ways to the peer', () => {
    expect(open({ addr: RELAY, at: 1000 }, { addr: WEBRTC, at: 9000 })).toBe(false)
    expect(open({ addr: WEBRTC, at: 1000 }, { addr: RELAY, at: 9000 })).toBe(false)
  })
})
