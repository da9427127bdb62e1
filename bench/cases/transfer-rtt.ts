/** The same transfer between phones that are 50 ms apart. */
import type { Case } from '../lib/case.ts'
import { createCpuMeter } from '../lib/cpu.ts'
import { openRawChannel } from '../lib/data-channel.ts'
import { sendAfar } from '../lib/far-pages.ts'
import { connectNode } from '../lib/node-page.ts'
import { createUdpProxy } from '../lib/udp-proxy.ts'
import { MiB } from '../lib/units.ts'
import { MESSAGES, ours, rawChannel } from './transfer.ts'

/** Each way. */
const AWAY_MS = 25
/** Far less than between phones side by side: SCTP of a browser carries only so much over a distance. */
const BYTES = 8 * MiB

export const transferRtt: Case = {
  name: 'transfer-rtt',
  title: `A file of 8 MiB, phone to phone, ${2 * AWAY_MS} ms away`,
  unit: 'MiB/s',
  better: 'more',
  aims: [{ of: 'ratio', is: 'at least', value: 0.9 }],
  rounds: 3,
  minutes: 2,
  warmups: 1,
  async open(stage) {
    await stage.forget(stage.appUrl)
    const proxy = createUdpProxy(AWAY_MS)
    const other = await stage.browser.newContext()
    const [sender, receiver] = await Promise.all([other.newPage(), stage.context.newPage()])
    await Promise.all([sendAfar(sender, proxy), sendAfar(receiver, proxy)])
    await Promise.all([sender.goto(stage.appUrl), receiver.goto(stage.appUrl)])
    const [from, to] = await Promise.all([connectNode(sender), connectNode(receiver)])
    const cpu = createCpuMeter(stage.cdp)
    const raw = await openRawChannel(sender, receiver)
    return {
      ours: ours(stage, { sender, receiver, from, to }, [], cpu, BYTES),
      ceiling: MESSAGES.map((bytes) => rawChannel(raw, bytes, cpu, BYTES)),
      notes: () => [
        `A proxy under Node holds every datagram for ${AWAY_MS} ms, those of the ceiling too; ${proxy.passed()} passed.`,
      ],
      async close() {
        await raw.close()
        await other.close()
        await stage.forget(stage.appUrl)
        proxy.close()
      },
    }
  },
}
