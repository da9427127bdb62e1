/** Parts of our stack in two pages of the bench's origin (bench/pages/stack): they tell where a transfer's time goes. */
import type { BrowserContext, JSHandle, Page } from '@playwright/test'
import type * as Stack from '../pages/stack/page.ts'
import type { Measure } from './case.ts'
import type { Stage } from './stage.ts'
import { mibPerSecond } from './units.ts'

type StackModule = typeof Stack

interface Side {
  page: Page
  stack: JSHandle<StackModule>
  relay: string
}

/** A libp2p stream alone, and the core without worker, port and disk. */
export async function stackMeasures(stage: Stage, other: BrowserContext, bytes: number): Promise<Measure[]> {
  const sender = await openSide(other, stage)
  const receiver = await openSide(stage.context, stage)
  return [await stream(sender, receiver, bytes), await core(sender, receiver, bytes)]
}

async function openSide(context: BrowserContext, { benchUrl, relay }: Stage): Promise<Side> {
  const page = await context.newPage()
  await page.goto(benchUrl)
  const stack = await page.evaluateHandle(async (url) => (await import(url)) as StackModule, '/stack.js')
  return { page, stack, relay }
}

async function stream(sender: Side, receiver: Side, bytes: number): Promise<Measure> {
  const start = ({ page, stack, relay }: Side): Promise<JSHandle<Awaited<ReturnType<StackModule['startLibp2p']>>>> =>
    page.evaluateHandle(({ stack, relay }) => stack.startLibp2p(relay), { stack, relay })
  const [from, to] = await Promise.all([start(sender), start(receiver)])
  const address = await sender.page.evaluate(({ stack, from }) => stack.webRtcAddress(from), {
    stack: sender.stack,
    from,
  })
  return {
    label: 'one libp2p stream, page to page',
    run: async () =>
      mibPerSecond(
        bytes,
        await receiver.page.evaluate(({ stack, to, address, bytes }) => stack.request(to, address, bytes), {
          stack: receiver.stack,
          to,
          address,
          bytes,
        }),
      ),
  }
}

async function core(sender: Side, receiver: Side, bytes: number): Promise<Measure> {
  const start = ({ page, stack, relay }: Side): Promise<JSHandle<Awaited<ReturnType<StackModule['startCore']>>>> =>
    page.evaluateHandle(({ stack, relay }) => stack.startCore(relay), { stack, relay })
  const [from, to] = await Promise.all([start(sender), start(receiver)])
  return {
    label: 'our core, page to page, blocks in memory',
    async run() {
      const offer = await sender.page.evaluate(
        ({ stack, from, bytes }) => {
          const content = new Uint8Array(bytes)
          for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(content.subarray(at, at + 65_536))
          return stack.offer(from, content)
        },
        { stack: sender.stack, from, bytes },
      )
      const ms = await receiver.page.evaluate(({ stack, to, offer }) => stack.fetchOffer(to, offer), {
        stack: receiver.stack,
        to,
        offer,
      })
      await sender.page.evaluate(({ from, cid }) => from.pin.rm(cid), { from, cid: offer.cid })
      return mibPerSecond(bytes, ms)
    },
  }
}
