import type { PortLike } from '../../../src/contract/port.ts'
import { lenderLock } from '../../../src/contract/webrtc-lending.ts'
import { lendWebRtc, type Lending, type LendOptions } from '../../../src/platform/page/webrtc/index.ts'

/** Lends this page's WebRTC as an elected page does, its lock included. */
export function lendTo(port: PortLike, options: Partial<LendOptions> = {}): Promise<Lending> {
  const lenderId = crypto.randomUUID()
  return new Promise((resolve, reject) => {
    const hold = () =>
      new Promise<void>((release) => {
        const onClose = (): void => {
          release()
          options.onClose?.()
        }
        resolve(lendWebRtc(port, { lenderId, ...options, onClose }))
      })
    navigator.locks.request(lenderLock(options.lenderId ?? lenderId), hold).catch(reject)
  })
}
