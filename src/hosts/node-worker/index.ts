import { createNetworkInfo } from '../../platform/worker/network-info.ts'
import { runHost } from './run-host.ts'
import { startNode } from './start-node.ts'

/** The worker that runs the node: as a SharedWorker, or as a dedicated worker where there is none. */
const network = createNetworkInfo()

runHost({
  startNode: (config) =>
    startNode({ network, webrtc: { state: () => 'unsupported', watch: () => () => undefined } }, config),
  onOnline: (online) => network.report(online),
  onLend: () => undefined,
  onPage: () => undefined,
})
