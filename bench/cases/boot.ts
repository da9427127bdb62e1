/** How long a page waits for its node. */
import type { Page } from '@playwright/test'
import type { PocketNode } from '../../src/contract/node-api.ts'
import type { Case, Measure } from '../lib/case.ts'
import { openBarePage } from '../lib/node-page.ts'
import type { Stage } from '../lib/stage.ts'

const AIM = { of: 'ours', is: 'at most', value: 400 } as const

/** The app was there before: identity, store, service worker and the browser's caches are. The node is not running. */
export const bootWarm: Case = {
  name: 'boot-warm',
  title: 'Node ready, app used before',
  unit: 'ms',
  better: 'less',
  aims: [AIM],
  rounds: 7,
  warmups: 2,
  async open(stage) {
    await stage.forget(stage.appUrl)
    await stage.forget(stage.benchUrl)
    await installApp(stage)
    return {
      ours: node(stage, async () => undefined),
      ceiling: [echo(stage, async () => undefined)],
      stock: stock(stage, async () => undefined),
      notes: () => [
        'From the call of connect() until status() says that the network runs; /embed.js is loaded before.',
      ],
      close: async () => stage.forget(stage.appUrl),
    }
  },
}

/** Nothing is there: no identity, no store, no service worker, nothing in the browser's caches. */
export const bootCold: Case = {
  name: 'boot-cold',
  title: 'Node ready, first visit',
  unit: 'ms',
  better: 'less',
  aims: [AIM],
  rounds: 5,
  warmups: 1,
  open: async (stage) => ({
    ours: node(stage, () => stage.forget(stage.appUrl)),
    ceiling: [echo(stage, () => stage.forget(stage.benchUrl))],
    close: async () => stage.forget(stage.appUrl),
  }),
}

async function installApp(stage: Stage): Promise<void> {
  const page = await stage.context.newPage()
  await page.goto(stage.appUrl)
  await page.evaluate(async () => navigator.serviceWorker.ready)
  await page.close()
  await stage.workersGone(stage.appUrl)
}

function node(stage: Stage, before: () => Promise<void>): Measure {
  return {
    label: 'connect() to a node that is running',
    run: () =>
      inPage(stage, stage.appUrl, before, async () => {
        const page = await openBarePage(stage.context, stage)
        const ms = await page.evaluate(async (embed) => {
          const { connect } = (await import(embed)) as { connect: () => Promise<PocketNode> }
          const start = performance.now()
          const node = await connect()
          while ((await node.status()).state !== 'running') await new Promise((resolve) => setTimeout(resolve))
          return performance.now() - start
        }, '/embed.js')
        return { page, ms }
      }),
  }
}

function echo(stage: Stage, before: () => Promise<void>): Measure {
  return {
    label: 'a bare SharedWorker answers',
    run: () =>
      inPage(stage, stage.benchUrl, before, async () => {
        const page = await stage.context.newPage()
        await page.goto(stage.benchUrl)
        const ms = await page.evaluate(
          () =>
            new Promise<number>((resolve, reject) => {
              const start = performance.now()
              const worker = new SharedWorker('/echo.js', { type: 'module' })
              worker.onerror = () => reject(new Error('the worker did not start'))
              worker.port.onmessage = () => resolve(performance.now() - start)
              worker.port.postMessage('hello')
            }),
        )
        return { page, ms }
      }),
  }
}

function stock(stage: Stage, before: () => Promise<void>): Measure {
  return {
    label: 'stock Helia starts',
    run: () =>
      inPage(stage, stage.benchUrl, before, async () => {
        const page = await stage.context.newPage()
        await page.goto(stage.benchUrl)
        const ms = await page.evaluate(
          () =>
            new Promise<number>((resolve, reject) => {
              const start = performance.now()
              const worker = new Worker('/stock.js', { type: 'module' })
              worker.onerror = ({ message }) => reject(new Error(message))
              worker.onmessage = () => resolve(performance.now() - start)
              worker.postMessage({ operation: 'start', file: new File([], '') })
            }),
        )
        return { page, ms }
      }),
  }
}

/** Ends with the page closed and its shared workers gone: the next start finds nothing running. */
async function inPage(
  stage: Stage,
  origin: string,
  before: () => Promise<void>,
  measure: () => Promise<{ page: Page; ms: number }>,
): Promise<number> {
  await before()
  const { page, ms } = await measure()
  await page.close()
  await stage.workersGone(origin)
  return ms
}
