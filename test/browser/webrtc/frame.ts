import { electLender } from '../../../src/platform/page/webrtc/index.ts'
import { lendTo } from './lend-to.ts'

/** A page beside the test's own, which can go away as pages do. Loaded by `openFrame`. */
export type FrameRequest =
  | { type: 'lend'; port: MessagePort }
  /** Takes part in the election; its offers come as messages with a port. */
  | { type: 'elect' }
  /** Headless browsers show every page. */
  | { type: 'show'; visible: boolean }
  | { type: 'renew' }
  /** Goes into the back/forward cache, and comes back. */
  | { type: 'away' }
  | { type: 'back' }

let renew = (): void => undefined

addEventListener('message', ({ data }: MessageEvent<FrameRequest>) => {
  switch (data.type) {
    case 'lend':
      return void lendTo(data.port)
    case 'elect': {
      const offer = (): MessagePort => {
        const { port1, port2 } = new MessageChannel()
        parent.postMessage({ frame: frameElement?.id }, '*', [port2])
        return port1
      }
      const election = electLender({ offer })
      renew = () => election.renew()
      return
    }
    case 'show':
      Object.defineProperty(document, 'visibilityState', {
        value: data.visible ? 'visible' : 'hidden',
        configurable: true,
      })
      document.dispatchEvent(new Event('visibilitychange'))
      return
    case 'renew':
      return renew()
    case 'away':
      return void dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
    case 'back':
      return void dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
  }
})
parent.postMessage({ ready: frameElement?.id }, '*')
