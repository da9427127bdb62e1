/** Pages whose WebRTC connections pass a proxy: they are told other ports than those of the other side. */
import type { Page } from '@playwright/test'
import type { UdpProxy } from './udp-proxy.ts'

type Through = (port: number) => Promise<{ address: string; port: number }>

/** For documents that are loaded in the page from now on. */
export async function sendAfar(page: Page, proxy: UdpProxy): Promise<void> {
  await page.exposeFunction('benchThrough', (port: number) => proxy.through(port))
  await page.addInitScript(rewriteCandidates)
}

// What follows runs in a page: nothing outside of the function is there.

function rewriteCandidates(): void {
  const { benchThrough } = globalThis as unknown as { benchThrough: Through }
  // Without the overloads for callbacks.
  type Describe = (description: RTCSessionDescriptionInit) => Promise<void>
  type Add = (candidate?: RTCIceCandidateInit) => Promise<void>
  const proto: { setRemoteDescription: Describe; addIceCandidate: Add } = RTCPeerConnection.prototype
  const { setRemoteDescription, addIceCandidate } = proto
  /** `candidate:<foundation> <component> <transport> <priority> <address> <port> typ …`; others than UDP there are none. */
  const rewritten = async (line: string): Promise<string | undefined> => {
    const parts = line.split(' ')
    if (parts[2]?.toLowerCase() !== 'udp' || parts[4]?.includes(':')) return undefined
    const way = await benchThrough(Number(parts[5]))
    return [...parts.slice(0, 4), way.address, way.port, ...parts.slice(6)].join(' ')
  }
  proto.setRemoteDescription = async function (this: RTCPeerConnection, description: RTCSessionDescriptionInit) {
    const lines = (description.sdp ?? '').split('\r\n')
    const found = await Promise.all(
      lines.map((line) => (line.startsWith('a=candidate:') ? rewritten(line) : Promise.resolve(line))),
    )
    const sdp = found.filter((line) => line !== undefined).join('\r\n')
    return setRemoteDescription.call(this, { type: description.type, sdp })
  }
  proto.addIceCandidate = async function (this: RTCPeerConnection, init?: RTCIceCandidateInit) {
    if (!init?.candidate) return addIceCandidate.call(this, init)
    const candidate = await rewritten(init.candidate)
    if (candidate === undefined) return undefined
    const { sdpMid, sdpMLineIndex, usernameFragment } = init
    return addIceCandidate.call(this, {
      candidate,
      sdpMid: sdpMid ?? null,
      sdpMLineIndex: sdpMLineIndex ?? null,
      usernameFragment: usernameFragment ?? null,
    })
  }
}
