import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { encodeHeader, encodeSectionHead } from '../../../src/core/car/encode.ts'
import type { BlockSource } from '../../../src/core/content/block-source.ts'
import { blocksFor } from '../../../src/core/gateway/blocks-for.ts'
import { CAR_TYPE, parseGatewayRequest, RAW_TYPE } from '../../../src/core/gateway/request.ts'

export interface TestGateway extends AsyncDisposable {
  url: string
  /** Targets asked for, in order. */
  asked: string[]
  /** Bytes of bodies sent. */
  sent: number
}

/** Takes an answer over; `next` goes on as an honest gateway does. */
export type Behave = (
  request: IncomingMessage,
  response: ServerResponse,
  next: () => Promise<void>,
) => void | Promise<void>

/** A trustless gateway on the loopback interface, as public ones are: it knows no `links`. */
export async function startGateway(source: Pick<BlockSource, 'getLocal'>, behave?: Behave): Promise<TestGateway> {
  const local = { get: (cid: Parameters<BlockSource['getLocal']>[0]) => source.getLocal(cid) }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const target = (request.url ?? '').replace(/&links=[^&]*/, '')
    const write = async (bytes: Uint8Array): Promise<void> => {
      gateway.sent += bytes.byteLength
      await new Promise((resolve) => response.write(bytes, resolve))
    }
    try {
      const asked = parseGatewayRequest(target, request.headers.accept)
      if (asked.kind === 'raw') {
        const bytes = await source.getLocal(asked.cid)
        response.writeHead(200, { 'content-type': RAW_TYPE })
        await write(bytes)
      } else {
        const blocks = blocksFor(asked, local, {})
        let block = await blocks.next()
        response.writeHead(200, { 'content-type': CAR_TYPE })
        await write(encodeHeader([asked.cid]))
        for (; block.done !== true && !response.destroyed; block = await blocks.next()) {
          await write(encodeSectionHead(block.value.cid, block.value.bytes.byteLength))
          await write(block.value.bytes)
        }
      }
      response.end()
    } catch {
      if (!response.headersSent) response.writeHead(404)
      response.end()
    }
  }
  const server = createServer((request, response) => {
    gateway.asked.push(request.url ?? '')
    if (behave === undefined) void answer(request, response)
    else void behave(request, response, () => answer(request, response))
  })
  const gateway: TestGateway = {
    url: '',
    asked: [],
    sent: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  gateway.url = `http://127.0.0.1:${address.port}`
  return gateway
}
