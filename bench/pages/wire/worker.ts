/** One libp2p stream that carries a CAR, read to its end and thrown away: the most that a fetch over it can reach. */
import { noise } from '@libp2p/noise'
import { identify } from '@libp2p/identify'
import { webSockets } from '@libp2p/websockets'
import { webTransport } from '@libp2p/webtransport'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { httpGet } from '../../../src/core/gateway/http-client.ts'
import { HTTP_PROTOCOL } from '../../../src/core/gateway/http-head.ts'
import { CAR_TYPE } from '../../../src/core/gateway/request.ts'

const libp2p = createLibp2p({
  transports: [webSockets(), webTransport()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionGater: { denyDialMultiaddr: () => false },
  services: { identify: identify() },
})

async function run(addr: string, cid: string): Promise<number> {
  const connection = await (await libp2p).dial(multiaddr(addr))
  const start = performance.now()
  const stream = await connection.newStream(HTTP_PROTOCOL)
  const { status, body } = await httpGet(stream, `/ipfs/${cid}?format=car&dag-scope=all`, CAR_TYPE)
  if (status !== 200) throw new Error(`status ${status}`)
  for await (const chunk of body) void chunk
  return performance.now() - start
}

onmessage = ({ data }: MessageEvent<{ addr: string; cid: string }>) => {
  run(data.addr, data.cid).then(
    (ms) => postMessage({ ms }),
    (error: unknown) => postMessage({ error: String(error) }),
  )
}
