import { createLentWebRtc } from './lent-webrtc.ts'

/**
 * Gives this worker the globals of WebRTC when it is imported. @libp2p/webrtc reads them while it is evaluated, so this
 * must be the first import of the worker's entry.
 */
export const lentWebRtc = createLentWebRtc()
lentWebRtc.install(globalThis)
