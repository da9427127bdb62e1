// First: @libp2p/webrtc reads the globals of WebRTC while it is evaluated.
import { lentWebRtc } from '../../platform/worker/webrtc/install.ts'
import { createNetworkInfo } from '../../platform/worker/network-info.ts'
import { createPhoneInfo } from '../../platform/worker/phone-info.ts'
import { runHost } from './run-host.ts'
import { startNode } from './start-node.ts'

/** The worker that runs the node: as a SharedWorker, or as a dedicated worker where there is none. */
const network = createNetworkInfo()
const phone = createPhoneInfo()

runHost({
  startNode: (config) => startNode({ network, phone, webrtc: lentWebRtc }, config),
  onReport: (page, report) => {
    if (report !== undefined) network.report(report.online)
    phone.report(page, report)
  },
  onLend: (port) => lentWebRtc.attach(port),
  onPage: ({ webrtc }) => lentWebRtc.setSupported(webrtc),
})
