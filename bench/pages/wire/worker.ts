/** libp2p streams that carry CARs, read to their end and thrown away: the most that a fetch over them can reach. */
import { noise } from '@libp2p/noise'
import { identify } from '@libp2p/identify'
import { webSockets } from '@libp2p/websockets'
import { webTransport } from '@libp2p/webtransport'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { httpGet } from '../../../src/core/gateway/http-client.ts'
import { HTTP_PROTOCOL } from '../../../src/core/gateway/http-head.ts'
import { CAR_TYPE, formatRequest } from '../../../src/core/gateway/request.ts'
import { parseCid } from '../../../src/core/content/paths.ts'
import { LIMITS } from '../../../src/shared/limits.ts'

export interface WireQuestion {
  addr: string
  cid: string
  /** Of the file. */
  bytes: number
  /** One carries the file whole; several carry windows of it, as a fetch does. */
  streams: number
}

const libp2p = createLibp2p({
  transports: [webSockets(), webTransport()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionGater: { denyDialMultiaddr: () => false },
  services: { identify: identify() },
})

async function run({ addr, cid, bytes, streams }: WireQuestion): Promise<number> {
  const connection = await (await libp2p).dial(multiaddr(addr))
  const window = streams === 1 ? bytes : LIMITS.carWindowBytes
  let next = 0
  let got = 0
  const lane = async (): Promise<void> => {
    while (next < bytes) {
      const range = { from: next, to: Math.min(next + window, bytes) - 1 }
      next += window
      const stream = await connection.newStream(HTTP_PROTOCOL)
      const path = formatRequest({ kind: 'car', cid: parseCid(cid), scope: 'entity', range })
      const { status, body } = await httpGet(stream, path, CAR_TYPE)
      if (status !== 200) throw new Error(`status ${status}`)
      for await (const chunk of body) got += chunk.byteLength
    }
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: streams }, lane))
  const ms = performance.now() - start
  if (got < bytes) throw new Error(`${got} of ${bytes} bytes came`)
  return ms
}

onmessage = ({ data }: MessageEvent<WireQuestion>) => {
  run(data).then(
    (ms) => postMessage({ ms }),
    (error: unknown) => postMessage({ error: String(error) }),
  )
}
