/** A client that stays in its page from one call to the next: for what a test watches over time. */
import type { Page } from '@playwright/test'
import type { PocketNode } from '../../src/contract/node-api.ts'

/** What the page of a held client has for the functions that a test sends there. */
export interface Held {
  node: PocketNode
  /** Starts something without waiting for it. */
  start: (name: string, work: Promise<unknown>) => void
  /** How things of that name stand. */
  jobs: Record<string, Job>
  /** When the host was lost and when one was ready again, in ms since the epoch. */
  hosts: { host: 'lost' | 'ready'; at: number }[]
  /** For whatever the functions of a test share. */
  notes: Record<string, unknown>
}

export interface Job {
  state: 'running' | 'done' | 'failed'
  result?: unknown
  /** `<code>: <message>` */
  error?: string
}

export interface HeldNode {
  /** Calls `fn` in the page. It is sent as text: it uses nothing around it; argument and result are JSON. */
  run<R, A extends object = object>(fn: (held: Held, argument: A) => R | Promise<R>, argument?: A): Promise<R>
  /** Resolves with the job's result when it is done; rejects with `<code>: <message>` when it failed. */
  job<R>(name: string): Promise<R>
  close(): Promise<void>
}

/** `options` goes to `connect`. */
export async function holdNode(page: Page, options: object = {}): Promise<HeldNode> {
  await page.evaluate(`(async () => {
    const { connect } = await import('/embed.js')
    const say = (error) => (error.code === undefined ? error.name : error.code) + ': ' + error.message
    const node = await connect(${JSON.stringify(options)}).catch((error) => { throw new Error(say(error)) })
    const held = { node, jobs: {}, hosts: [], notes: {}, say }
    held.start = (name, work) => {
      const job = (held.jobs[name] = { state: 'running' })
      job.ended = work.then(
        (result) => Object.assign(job, { state: 'done', result }),
        (error) => Object.assign(job, { state: 'failed', error: say(error) }),
      )
    }
    node.watch((event) => { if (event.type === 'host') held.hosts.push({ host: event.host, at: Date.now() }) })
    globalThis.held = held
  })()`)
  const run = async (text: string): Promise<unknown> =>
    page.evaluate(`(async () => {
      try { return await (${text}) } catch (error) { throw new Error(held.say(error), { cause: error }) }
    })()`)
  return {
    run: async <R, A extends object>(fn: (held: Held, argument: A) => R | Promise<R>, argument?: A) =>
      (await run(`(${fn.toString()})(held, ${JSON.stringify(argument ?? {})})`)) as R,
    job: async <R>(name: string) => {
      const text = `held.jobs[${JSON.stringify(name)}].ended.then(({ state, result, error }) => ({ state, result, error }))`
      const job = (await run(text)) as Job
      if (job.state === 'failed') throw new Error(job.error)
      return job.result as R
    },
    close: async () => {
      await run('held.node.close()')
    },
  }
}
