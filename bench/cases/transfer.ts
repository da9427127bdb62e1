/** A file from phone to phone over direct WebRTC: fetched, verified, stored and committed. */
import type { Page } from '@playwright/test'
import type { Case, Measure } from '../lib/case.ts'
import { createCpuMeter, type CpuMeter } from '../lib/cpu.ts'
import { openRawChannel, type RawChannel } from '../lib/data-channel.ts'
import { connectNode, pickFile, type NodeHandle } from '../lib/node-page.ts'
import { checkReceived, connectDirectly, share } from '../lib/phone-calls.ts'
import { stackMeasures } from '../lib/stack.ts'
import type { Stage } from '../lib/stage.ts'
import { mibPerSecond, MiB } from '../lib/units.ts'

const BYTES = 48 * MiB
/** What Chromium's data channels carry best, and the largest that they carry. */
export const MESSAGES = [64 * 1024, 256 * 1024]

export const transfer: Case = {
  name: 'transfer',
  title: 'A file of 48 MiB, phone to phone',
  unit: 'MiB/s',
  better: 'more',
  aims: [{ of: 'ratio', is: 'at least', value: 0.8 }],
  rounds: 5,
  warmups: 1,
  async open(stage) {
    await stage.forget(stage.appUrl)
    const other = await stage.browser.newContext()
    // The app itself is on screen, as on two phones: its pages lend WebRTC and draw progress meanwhile.
    const [sender, receiver] = await Promise.all([other.newPage(), stage.context.newPage()])
    await Promise.all([sender.goto(stage.appUrl), receiver.goto(stage.appUrl)])
    const [from, to] = await Promise.all([connectNode(sender), connectNode(receiver)])
    const ends = { sender, receiver, from, to }
    const directMs: number[] = []
    const cpu = createCpuMeter(stage.cdp)
    const raw = await openRawChannel(sender, receiver)
    const beside = await stackMeasures(stage, other, BYTES)
    return {
      ours: ours(stage, ends, directMs, cpu),
      ceiling: MESSAGES.map((bytes) => rawChannel(raw, bytes, cpu)),
      beside,
      notes: () => [
        'The receiver stores on the disk; its peers() says direct WebRTC before and after each run.',
        `CPU of both phones together for one run: ours ${Math.round(cpu.median('ours'))} ms, the raw channel ${Math.round(cpu.median('raw'))} ms, ` +
          `ratio ${(cpu.median('raw') / cpu.median('ours')).toFixed(2)}. It tells more than the throughput where other work takes cores away.`,
        `From open(link) to the first direct connection: ${Math.round(directMs[0] ?? 0)} ms.`,
      ],
      async close() {
        await raw.close()
        await other.close()
        await stage.forget(stage.appUrl)
        await stage.forget(stage.benchUrl)
      },
    }
  },
}

interface Ends {
  sender: Page
  receiver: Page
  from: NodeHandle
  to: NodeHandle
}

export function ours(
  stage: Stage,
  { sender, receiver, from, to }: Ends,
  directMs: number[],
  cpu: CpuMeter,
  size = BYTES,
): Measure {
  let run = 0
  return {
    label: 'pin.add() of the receiver',
    async run() {
      // New content each time: what is held already would not travel.
      const path = await stage.file(`transfer-${size}-${run++}`, size)
      const file = await pickFile(sender, path)
      const { cid, url, peerId } = await sender.evaluate(share, { node: from, file })
      directMs.push(await receiver.evaluate(connectDirectly, { node: to, url, peerId }))
      const ms = await cpu.during('ours', () =>
        receiver.evaluate(
          async ({ node, cid }) => {
            const start = performance.now()
            await node.pin.add(cid)
            return performance.now() - start
          },
          { node: to, cid },
        ),
      )
      await receiver.evaluate(checkReceived, { node: to, cid, peerId, bytes: size })
      return mibPerSecond(size, ms)
    },
  }
}

export function rawChannel(raw: RawChannel, messageBytes: number, cpu: CpuMeter, size = BYTES): Measure {
  return {
    label: `raw data channel, messages of ${messageBytes / 1024} KiB`,
    run: async () => mibPerSecond(size, await cpu.during('raw', () => raw.transfer(size, messageBytes))),
  }
}
