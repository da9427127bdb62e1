import type { PortLike } from '../../../src/contract/port.ts'
import { lenderLock } from '../../../src/contract/webrtc-lending.ts'
import { lendWebRtc, type Lending, type LendOptions } from '../../../src/platform/page/webrtc/index.ts'

export interface CountedLending extends Lending {
  /** Real peer connections that are lent now. */
  connections(): number
}

/** Lends this page's WebRTC as an elected page does, its lock included. */
export function lendTo(port: PortLike, options: Partial<LendOptions> = {}): Promise<CountedLending> {
  const lenderId = crypto.randomUUID()
  const real: RTCPeerConnection[] = []
  class Counted extends (options.RTCPeerConnection ?? RTCPeerConnection) {
    constructor(configuration?: RTCConfiguration) {
      super(configuration)
      real.push(this)
    }
  }
  const connections = (): number => real.filter(({ signalingState }) => signalingState !== 'closed').length
  return new Promise((resolve, reject) => {
    const hold = () =>
      new Promise<void>((release) => {
        const onClose = (): void => {
          release()
          options.onClose?.()
        }
        const lending = lendWebRtc(port, { lenderId, ...options, RTCPeerConnection: Counted, onClose })
        resolve({
          connections,
          setWilling: (willing) => lending.setWilling(willing),
          close: () => lending.close(),
        })
      })
    navigator.locks.request(lenderLock(options.lenderId ?? lenderId), hold).catch(reject)
  })
}
