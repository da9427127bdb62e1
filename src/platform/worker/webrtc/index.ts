export { createLentWebRtc, type LentWebRtc } from './lent-webrtc.ts'
