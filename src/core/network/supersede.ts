import type { Connection, Libp2p } from '@libp2p/interface'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'

/**
 * Lets a newer WebRTC connection of a peer replace its older ones. A phone whose page went dials again within 0.1 s, but
 * this side notices the end of the old connection after about 17 s only, and would go on to send over it meanwhile.
 */
export function supersedeOldConnections(libp2p: Libp2p): void {
  libp2p.addEventListener('connection:open', ({ detail: fresh }) => {
    if (!isWebRtc(fresh)) return
    for (const old of libp2p.getConnections(fresh.remotePeer)) {
      if (old.id === fresh.id || !isWebRtc(old)) continue
      if (fresh.timeline.open - old.timeline.open > LIMITS.supersedeAfterMs) old.abort(new PocketError('ERR_CLOSED'))
    }
  })
}

function isWebRtc({ remoteAddr }: Connection): boolean {
  return remoteAddr.getComponents().some(({ name }) => name === 'webrtc')
}
