/** A file from Node and from Kubo to the phone: over WebSocket and over WebTransport. */
import { createLibp2p } from 'libp2p'
import { startKubo } from '../../e2e/support/kubo.ts'
import { randomFile } from '../../e2e/support/files.ts'
import { createBlockSource } from '../../src/core/content/block-source.ts'
import { addContent } from '../../test/support/node/add-content.ts'
import { HTTP_PROTOCOL } from '../../src/core/gateway/http-head.ts'
import { createGateway } from '../../src/core/gateway/http-server.ts'
import { createBlockstore, createMemoryBlockTable } from '../../src/core/storage/index.ts'
import type { Case } from '../lib/case.ts'
import { connectNode, openBarePage } from '../lib/node-page.ts'
import type { Stage } from '../lib/stage.ts'
import { openLine } from '../lib/tcp-proxy.ts'
import { mibPerSecond, MiB } from '../lib/units.ts'
import type { WireQuestion } from '../pages/wire/worker.ts'
import { LIMITS } from '../../src/shared/limits.ts'
import { listening } from '../../e2e/support/listening.ts'

const BYTES = 48 * MiB
/** Each way. */
const AWAY_MS = 25

export interface Far {
  addr: string
  /** Adds content and resolves with its CID. */
  add(content: Buffer): Promise<string>
  stop(): Promise<void>
}

export const wire: Case[] = [
  wireCase('wire-ws', 'Node to phone over WebSocket', startNode),
  wireCase('wire-ws-rtt', `Node to phone over WebSocket, ${2 * AWAY_MS} ms away`, startNodeAway),
  wireCase('wire-kubo', 'Kubo to phone over WebTransport', startFarKubo),
]

function wireCase(name: string, title: string, start: () => Promise<Far>): Case {
  return {
    name,
    title: `A file of 48 MiB, ${title}`,
    unit: 'MiB/s',
    better: 'more',
    aims: [{ of: 'ratio', is: 'at least', value: 0.9 }],
    rounds: 5,
    warmups: 1,
    async open(stage: Stage) {
      await stage.forget(stage.appUrl)
      const far = await start()
      const page = await openBarePage(stage.context, stage)
      const node = await connectNode(page)
      await page.evaluate(({ node, addr }) => node.dial(addr), { node, addr: far.addr })
      const bench = await stage.context.newPage()
      await bench.goto(stage.benchUrl)
      const worker = await bench.evaluateHandle((url) => new Worker(url, { type: 'module' }), '/wire.js')
      let made = 0
      const content = (): Promise<string> => far.add(randomFile(BYTES, `${name}-${made++}`).buffer)
      return {
        ours: {
          label: 'pin.add(), stored',
          async run() {
            const cid = await content()
            const ms = await page.evaluate(
              async ({ node, cid, addr }) => {
                const start = performance.now()
                await node.pin.add(cid, { from: [addr] })
                const ms = performance.now() - start
                if (!(await node.stat(cid)).local.complete) throw new Error('not all is here')
                await node.pin.rm(cid)
                return ms
              },
              { node, cid, addr: far.addr },
            )
            return mibPerSecond(BYTES, ms)
          },
        },
        ceiling: [1, LIMITS.carStreams].map((streams) => ({
          label: `the same bytes in libp2p streams, ${streams} at once, in a worker, thrown away`,
          async run() {
            const question: WireQuestion = { addr: far.addr, cid: await content(), bytes: BYTES, streams }
            const ms = await bench.evaluate(
              ({ worker, question }) =>
                new Promise<number>((resolve, reject) => {
                  worker.onmessage = ({ data }: MessageEvent<{ ms: number } | { error: string }>) =>
                    'ms' in data ? resolve(data.ms) : reject(new Error(data.error))
                  worker.onerror = ({ message }) => reject(new Error(message))
                  worker.postMessage(question)
                }),
              { worker, question },
            )
            return mibPerSecond(BYTES, ms)
          },
        })),
        async close() {
          await bench.close()
          await far.stop()
          await stage.forget(stage.appUrl)
        },
      }
    },
  }
}

export async function startNode(): Promise<Far> {
  const blocks = await createBlockstore(createMemoryBlockTable(undefined, { maxBytes: 2 * 1024 ** 3 }))
  const gateway = createGateway(createBlockSource({ networked: blocks, local: blocks }))
  const libp2p = await createLibp2p(listening())
  await libp2p.handle(HTTP_PROTOCOL, (stream, connection) => void gateway.serve(stream, connection))
  return {
    addr: libp2p.getMultiaddrs()[0]?.toString() ?? '',
    async add(content) {
      const init = { blocks, signal: new AbortController().signal, onProgress: () => undefined }
      return (await addContent(new Uint8Array(content), init)).cid.toString()
    },
    stop: async () => libp2p.stop(),
  }
}

async function startNodeAway(): Promise<Far> {
  const node = await startNode()
  const line = await openLine(Number(/\/tcp\/(\d+)/.exec(node.addr)?.[1]), { delayMs: AWAY_MS })
  return {
    ...node,
    addr: node.addr.replace(/\/tcp\/\d+/, `/tcp/${line.port}`),
    async stop() {
      line.close()
      await node.stop()
    },
  }
}

async function startFarKubo(): Promise<Far> {
  const kubo = await startKubo({ config: { Experimental: { GatewayOverLibp2p: true } } })
  const args = ['add', '--quieter', '--cid-version=1', '--raw-leaves', '--chunker=size-1048576']
  return {
    addr: kubo.multiaddrs.webtransport,
    add: async (input) => (await kubo.ipfs(args, { input })).toString().trim(),
    stop: () => kubo.stop(),
  }
}
