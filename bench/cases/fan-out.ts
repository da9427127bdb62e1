/** One DAG from several slow sources at once: what the scheduler makes of them together. */
import { createBlockSource } from '../../src/core/content/block-source.ts'
import { createBlockstore, createMemoryBlockTable } from '../../src/core/storage/index.ts'
import { addContent } from '../../test/support/node/add-content.ts'
import { randomFile } from '../../e2e/support/files.ts'
import type { Case, Measure } from '../lib/case.ts'
import { openGateway } from '../lib/gateway.ts'
import { connectNode, openBarePage } from '../lib/node-page.ts'
import { openLine } from '../lib/tcp-proxy.ts'
import { mibPerSecond, MiB } from '../lib/units.ts'
import { startNode } from './wire.ts'

/** `limit` is of each source, in bytes a second. */
const fanOutOf = (name: string, size: number, limit: number): Case => ({
  name,
  title: `A file of ${size / MiB} MiB from 3 sources of ${limit / MiB} MiB/s each`,
  unit: 'MiB/s',
  better: 'more',
  aims: [{ of: 'ratio', is: 'at least', value: 0.8 }],
  rounds: 3,
  minutes: 1,
  warmups: 0,
  async open(stage) {
    await stage.forget(stage.appUrl)
    const blocks = await createBlockstore(createMemoryBlockTable(undefined, { maxBytes: 4 * 1024 ** 3 }))
    const source = createBlockSource({ networked: blocks, local: blocks })
    const peer = await startNode()
    const gateways = await Promise.all([openGateway(source), openGateway(source)])
    const peerPort = Number(/\/tcp\/(\d+)/.exec(peer.addr)?.[1])
    const [first, second, third] = await Promise.all(
      [...gateways.map(({ port }) => port), peerPort].map((port) => openLine(port, { bytesPerSecond: limit })),
    )
    if (first === undefined || second === undefined || third === undefined) throw new Error('no lines')
    const addresses = [
      `http://127.0.0.1:${first.port}`,
      `http://127.0.0.1:${second.port}`,
      peer.addr.replace(/\/tcp\/\d+/, `/tcp/${third.port}`),
    ]
    const page = await openBarePage(stage.context, stage)
    const node = await connectNode(page)
    let made = 0
    const from = (count: number, label: string): Measure => ({
      label,
      async run() {
        const content = randomFile(size, `${name}-${made++}`).buffer
        const init = { blocks, signal: new AbortController().signal, onProgress: () => undefined }
        const { cid } = await addContent(new Uint8Array(content), init)
        await peer.add(content)
        const ms = await page.evaluate(
          async ({ node, cid, from }) => {
            const start = performance.now()
            await node.pin.add(cid, { from })
            const ms = performance.now() - start
            if (!(await node.stat(cid)).local.complete) throw new Error('not all is here')
            await node.pin.rm(cid)
            for (const { peerId } of await node.peers()) await node.hangUp(peerId)
            return ms
          },
          { node, cid: cid.toString(), from: addresses.slice(0, count) },
        )
        return mibPerSecond(size, ms)
      },
    })
    return {
      ours: from(3, 'pin.add() from two gateways and a peer'),
      ceiling: [{ label: 'the limits together', run: async () => (3 * limit) / MiB }],
      beside: [from(2, 'from two gateways'), from(1, 'from one gateway')],
      notes: () => [
        'The time of the dial, of the first answers and of the commit counts; the limits know none of these.',
      ],
      async close() {
        for (const line of [first, second, third]) line.close()
        for (const gateway of gateways) gateway.close()
        await peer.stop()
        await stage.forget(stage.appUrl)
      },
    }
  },
})

/** A long one, and one that is over before much is known of its sources. */
export const fanOut: Case[] = [fanOutOf('fan-out', 96 * MiB, 8 * MiB), fanOutOf('fan-out-short', 24 * MiB, 4 * MiB)]
