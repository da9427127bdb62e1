/** A trustless gateway of the bench's own on the loopback interface. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { CID } from 'multiformats/cid'
import { encodeHeader, encodeSectionHead } from '../../src/core/car/encode.ts'
import type { BlockSource } from '../../src/core/content/block-source.ts'
import { blocksFor } from '../../src/core/gateway/blocks-for.ts'
import { CAR_TYPE, parseGatewayRequest, RAW_TYPE } from '../../src/core/gateway/request.ts'

export interface BenchGateway {
  url: string
  port: number
  close(): void
}

/** `requestMs`: how long it thinks before it answers. */
export async function openGateway(source: BlockSource, requestMs = 0): Promise<BenchGateway> {
  const local = { get: (cid: CID) => source.getLocal(cid) }
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      if (requestMs > 0) await new Promise((resolve) => setTimeout(resolve, requestMs))
      const asked = parseGatewayRequest(request.url ?? '', request.headers.accept)
      const type = asked.kind === 'raw' ? RAW_TYPE : CAR_TYPE
      response.writeHead(200, { 'content-type': type, 'access-control-allow-origin': '*' })
      const closed = once(response, 'close')
      // As much as the line takes: what is not wanted any more is not read.
      const write = async (bytes: Uint8Array): Promise<void> => {
        if (!response.write(bytes)) await Promise.race([once(response, 'drain'), closed])
        if (response.destroyed) throw new Error('gone')
      }
      if (asked.kind === 'raw') await write(await local.get(asked.cid))
      else {
        await write(encodeHeader([asked.cid]))
        for await (const { cid, bytes } of blocksFor(asked, local, {})) {
          await write(encodeSectionHead(cid, bytes.byteLength))
          await write(bytes)
        }
      }
      response.end()
    }
    answer().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
