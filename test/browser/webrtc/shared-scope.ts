import { lentWebRtc } from '../../../src/platform/worker/webrtc/install.ts'
import { BEHAVIOURS } from './behaviours.ts'

/** Runs behaviours by name, on WebRTC that the page lends. */
export type WorkerRequest = { type: 'lend'; port: MessagePort } | { type: 'run'; name: string }

const behaviours = Object.values(BEHAVIOURS).flat()

const scope = globalThis as unknown as { onconnect: (event: MessageEvent) => void }
scope.onconnect = ({ ports: [port] }) => {
  if (port === undefined) return
  port.onmessage = async ({ data }: MessageEvent<WorkerRequest>) => {
    if (data.type === 'lend') {
      const stop = lentWebRtc.watch(() => {
        stop()
        port.postMessage(lentWebRtc.state())
      })
      return lentWebRtc.attach(data.port)
    }
    const opened: RTCPeerConnection[] = []
    try {
      const behaviour = behaviours.find(({ name }) => name === data.name)
      if (behaviour === undefined) throw new Error(`There is no behaviour "${data.name}"`)
      await behaviour.run({ local: globalThis, remote: globalThis, opened })
      port.postMessage(undefined)
    } catch (error) {
      port.postMessage(String(error))
    } finally {
      for (const connection of opened) connection.close()
    }
  }
}
