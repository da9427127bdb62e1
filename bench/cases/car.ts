/** A DAG of many blocks from a gateway that takes 25 ms for each request: as CARs, and block by block. */
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { importer } from 'ipfs-unixfs-importer'
import type { CID } from 'multiformats/cid'
import { createBlockstore, createMemoryBlockTable } from '../../src/core/storage/index.ts'
import { createBlockSource } from '../../src/core/content/block-source.ts'
import { randomFile } from '../../e2e/support/files.ts'
import type { Case } from '../lib/case.ts'
import { openGateway } from '../lib/gateway.ts'
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
  minutes: 1,
  warmups: 1,
  async open(stage) {
    await stage.forget(stage.appUrl)
    const blocks = await createBlockstore(createMemoryBlockTable())
    const source = createBlockSource({ networked: blocks, local: blocks })
    const gateway = await openGateway(source, REQUEST_MS)
    const { url } = gateway
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
        gateway.close()
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
