/** A DAG of many blocks from a gateway that takes 25 ms for each request: as CARs, and block by block. */
import { createServer, type Server } from 'node:http'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { importer } from 'ipfs-unixfs-importer'
import type { CID } from 'multiformats/cid'
import { encodeHeader, encodeSectionHead } from '../../src/core/car/encode.ts'
import { blocksFor } from '../../src/core/gateway/blocks-for.ts'
import { CAR_TYPE, parseGatewayRequest, RAW_TYPE } from '../../src/core/gateway/request.ts'
import { createBlockstore, createMemoryBlockTable } from '../../src/core/storage/index.ts'
import { createBlockSource, type BlockSource } from '../../src/core/content/block-source.ts'
import { randomFile } from '../../e2e/support/files.ts'
import type { Case } from '../lib/case.ts'
import { connectNode, openBarePage } from '../lib/node-page.ts'

const BLOCKS = 2000
const BLOCK_BYTES = 10 * 1024
const REQUEST_MS = 25
/** So many are asked for one after another; the rest would take as long each. */
const SAMPLE = 200

export const car: Case = {
  name: 'car',
  title: `A DAG of ${BLOCKS} blocks, ${REQUEST_MS} ms a request`,
  unit: 'ms',
  better: 'less',
  aims: [{ of: 'ratio', is: 'at most', value: 0.05 }],
  rounds: 5,
  warmups: 1,
  async open(stage) {
    await stage.forget(stage.appUrl)
    const blocks = await createBlockstore(createMemoryBlockTable())
    const source = createBlockSource({ networked: blocks, local: blocks })
    const server = await serve(source)
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const url = `http://127.0.0.1:${address.port}`
    const page = await openBarePage(stage.context, stage)
    const node = await connectNode(page)
    let made = 0
    return {
      ours: {
        label: 'pin.add() from the gateway, as CARs, stored',
        async run() {
          const { root } = await makeDag(blocks, `car-${made++}`)
          return page.evaluate(
            async ({ node, cid, url }) => {
              const start = performance.now()
              await node.pin.add(cid, { from: [url] })
              const ms = performance.now() - start
              if (!(await node.stat(cid)).local.complete) throw new Error('not all is here')
              await node.pin.rm(cid)
              return ms
            },
            { node, cid: root.toString(), url },
          )
        },
      },
      ceiling: [
        {
          label: `fetch() block by block, ${SAMPLE} measured, times ${BLOCKS / SAMPLE}`,
          async run() {
            const { leaves } = await makeDag(blocks, `one-${made++}`)
            const urls = leaves.slice(0, SAMPLE).map((cid) => `${url}/ipfs/${cid.toString()}?format=raw`)
            const ms = await page.evaluate(async (urls) => {
              const start = performance.now()
              for (const one of urls) await (await fetch(one, { cache: 'no-store' })).arrayBuffer()
              return performance.now() - start
            }, urls)
            return (ms * BLOCKS) / SAMPLE
          },
        },
      ],
      notes: () => ['The ratio is ours divided by block by block: 0.05 is twenty times as fast.'],
      async close() {
        server.closeAllConnections()
        server.close()
        await stage.forget(stage.appUrl)
      },
    }
  },
}

type Blocks = Awaited<ReturnType<typeof createBlockstore>>

async function makeDag(blocks: Blocks, seed: string): Promise<{ root: CID; leaves: CID[] }> {
  const content = randomFile(BLOCKS * BLOCK_BYTES, seed).buffer
  const before = new Set<string>()
  for await (const { cid } of blocks.getAll()) before.add(cid.toString())
  let root: CID | undefined
  for await (const entry of importer([{ content }], blocks, {
    profile: 'unixfs-v1-2025',
    chunker: fixedSize({ chunkSize: BLOCK_BYTES }),
  })) {
    root = entry.cid
  }
  if (root === undefined) throw new Error('no root')
  const leaves: CID[] = []
  for await (const { cid } of blocks.getAll())
    if (!before.has(cid.toString()) && blocks.sizeOf(cid) === BLOCK_BYTES) leaves.push(cid)
  return { root, leaves }
}

/** A trustless gateway on the loopback interface that thinks before it answers. */
async function serve(source: BlockSource): Promise<Server> {
  const local = { get: (cid: CID) => source.getLocal(cid) }
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, REQUEST_MS))
      const asked = parseGatewayRequest(request.url ?? '', request.headers.accept)
      const type = asked.kind === 'raw' ? RAW_TYPE : CAR_TYPE
      response.writeHead(200, { 'content-type': type, 'access-control-allow-origin': '*' })
      if (asked.kind === 'raw') response.write(await local.get(asked.cid))
      else {
        response.write(encodeHeader([asked.cid]))
        for await (const { cid, bytes } of blocksFor(asked, local, {})) {
          response.write(encodeSectionHead(cid, bytes.byteLength))
          response.write(bytes)
        }
      }
      response.end()
    }
    answer().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
