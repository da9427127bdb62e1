import type { Multiaddr } from '@multiformats/multiaddr'
import { formatLink, type LinkParts } from '../contract/link.ts'
import type { ShareResult } from '../contract/node-api.ts'

/** A link to content of this node with the addresses at which it can be dialled now, and its QR code. */
export async function makeShare(appUrl: string, parts: Omit<LinkParts, 'via'>, own: Multiaddr[]): Promise<ShareResult> {
  const via = dialHints(own)
  const url = formatLink(appUrl, { ...parts, via })
  // Loaded at the first share: a node that only receives needs no QR code.
  const { encodeQR } = await import('qr')
  // Level L and no logo: the code stays coarse, and a screen has no dirt to correct for.
  const qr = encodeQR(url, 'svg', { ecc: 'low', border: 4 })
  return { url, qr, reachable: via.length > 0 }
}

/** One per relay: the receiver derives the WebRTC form of a relayed address itself. Names before numbers: they last. */
function dialHints(own: Multiaddr[]): string[] {
  const circuits = own.map(String).filter((addr) => addr.includes('/p2p-circuit/') && !addr.includes('/webrtc/'))
  const perRelay = new Map<string, string>()
  for (const addr of circuits) {
    const relay = /\/p2p\/([^/]+)\/p2p-circuit/.exec(addr)?.[1] ?? addr
    const known = perRelay.get(relay)
    if (known === undefined || rank(addr) < rank(known)) perRelay.set(relay, addr)
  }
  return [...perRelay.values()]
}

/** Addresses that work from anywhere come first, then the short. */
function rank(addr: string): number {
  const secure = /\/(wss|tls|webtransport)\b/.test(addr) ? 0 : 1000
  return secure + (/^\/ip[46]\//.test(addr) ? 500 : 0) + addr.length
}
