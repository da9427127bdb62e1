/** What a phone does to a node: hides it, freezes it, takes its network, sets limits. By real freezes, over a real network. */
import type { Page } from '@playwright/test'
import type { NodeStatus } from '../../src/contract/node-api.ts'
import { en } from '../../src/app/strings/en.ts'
import { startCountingPeer, type CountingPeer } from '../support/counting-peer.ts'
import { expect, facts, randomFile, test, type Phone } from '../support/fixtures.ts'
import { holdNode, type HeldNode } from '../support/held-node.ts'
import { startTunnel, type Tunnel } from '../support/tunnel.ts'

const MiB = 1024 * 1024
const SIZE = 128 * MiB
/** More than a quick flip: the worker's clock is put forward by so much, in ms. */
const LONG = 60_000
/** What the product promises, in ms. */
const CHECKPOINT_MS = 50
const LIVED_MS = 150
const WOKEN_MS = 1_000

const status = (held: HeldNode): Promise<NodeStatus> => held.run(({ node }) => node.status())
const life = async (held: HeldNode): Promise<string> => (await status(held)).life.state

/** Puts another page in front, or the app's again. */
async function hide(phone: Phone): Promise<Page> {
  const other = await phone.context.newPage()
  await other.bringToFront()
  await phone.page.waitForFunction(() => document.visibilityState === 'hidden')
  return other
}

/** Starts a fetch, and notes when the page is seen again and when its bytes come first after that. */
async function fetchFrom(held: HeldNode, cid: string, from: string): Promise<void> {
  await held.run(
    async ({ node, notes }, { cid: wanted, from: addr }) => {
      const { id } = await node.transfers.start({ cid: wanted, from: [addr] })
      node.transfers.watch((transfer) => {
        if (transfer.id === id) Object.assign(notes, { done: transfer.done, state: transfer.state })
      })
      notes.received = async () => {
        const { peers } = await node.data.usage()
        return peers.find(({ peer }) => addr.endsWith(peer))?.in ?? 0
      }
      const watch = async (): Promise<void> => {
        while (notes.firstAt === undefined) {
          const received = await (notes.received as () => Promise<number>)()
          // More than hand-shakes and pings.
          if (received > (notes.since as number) + 65_536) notes.firstAt = performance.now()
        }
      }
      document.addEventListener('visibilitychange', () => {
        if (document.visibilityState !== 'visible' || notes.since === undefined) return
        notes.shownAt = performance.now()
        void watch()
      })
    },
    { cid, from },
  )
}

const done = (held: HeldNode): Promise<number> => held.run(({ notes }) => (notes.done as number | undefined) ?? 0)

/** From the moment that the page is seen to the first bytes that come after that, in ms. */
async function firstByte(held: HeldNode): Promise<number> {
  const took = (): Promise<number> =>
    held.run(({ notes }) => {
      const { shownAt, firstAt } = notes as { shownAt?: number; firstAt?: number }
      return shownAt === undefined || firstAt === undefined ? -1 : firstAt - shownAt
    })
  await expect.poll(took, { timeout: 15_000 }).toBeGreaterThanOrEqual(0)
  return took()
}

/** A MiB every `ms`, from now on. */
function drip(peer: CountingPeer, ms: number): () => void {
  peer.allow(MiB)
  const timer = setInterval(() => peer.allow(MiB), ms)
  return () => clearInterval(timer)
}

function note(type: string, times: number[]): void {
  test.info().annotations.push({ type, description: times.map((ms) => `${Math.round(ms)} ms`).join(', ') })
}

test.describe('a phone with a transfer under way', () => {
  let peer: CountingPeer
  let tunnel: Tunnel
  let one: Phone
  let held: HeldNode
  let stop: () => void
  test.beforeEach(async ({ phone }) => {
    peer = await startCountingPeer(SIZE)
    tunnel = await startTunnel(peer.multiaddr)
    const cid = await peer.offer(randomFile(SIZE, 'under way').buffer)
    one = await phone('hidden', { ownBrowser: true })
    held = await holdNode(one.page)
    await expect.poll(() => life(held)).toBe('active')
    stop = drip(peer, 80)
    await fetchFrom(held, cid, tunnel.multiaddr)
    await expect.poll(() => done(held)).toBeGreaterThan(MiB)
  })
  test.afterEach(async () => {
    stop()
    tunnel.stop()
    await peer.stop()
  })

  /**
   * Hides and freezes the page, lets something happen as if it were long, and shows it again. Resolves with how long it took
   * from then to the first byte that had not been sent before.
   */
  async function sleep(during: () => Promise<unknown>, killed = false): Promise<number> {
    const other = await hide(one)
    await expect.poll(() => life(held)).toBe('hidden')
    stop()
    await expect.poll(() => peer.exhausted()).toBe(true)
    const received = (): Promise<number> => held.run(({ notes }) => (notes.received as () => Promise<number>)())
    let since = -1
    // Until what is on its way has come.
    await expect
      .poll(async () => {
        const before = since
        since = await received()
        return since === before
      })
      .toBe(true)
    await held.run(({ notes }, argument) => void Object.assign(notes, argument), { since: killed ? 0 : since })
    await one.freeze()
    await one.skewClock(LONG)
    await during()
    peer.allow(SIZE)
    await one.thaw()
    await other.close()
    await one.page.bringToFront()
    return firstByte(held)
  }

  test('flushes what has arrived when it is hidden, and keeps its connections over flips and freezes', async () => {
    const connections = async (): Promise<string[]> =>
      (await facts(one.page)).peers.map(({ peerId, openedAt }) => `${peerId} ${openedAt}`).sort()
    const before = await connections()
    expect(before).toHaveLength(2)
    const took: number[] = []
    for (let round = 0; round < 3; round++) {
      const { since } = (await status(held)).life
      const other = await hide(one)
      await expect.poll(() => life(held)).toBe('hidden')
      const checkpoint = async (): Promise<number> => {
        const { checkpointMs = -1, checkpointAt = 0 } = (await status(held)).life
        return checkpointAt > since ? checkpointMs : -1
      }
      await expect.poll(checkpoint).toBeGreaterThanOrEqual(0)
      took.push(await checkpoint())
      await other.close()
      await one.page.bringToFront()
      await expect.poll(() => life(held)).toBe('active')
    }
    note('checkpoint', took)
    expect(Math.min(...took), `ms of a checkpoint: ${took.join()}`).toBeLessThan(CHECKPOINT_MS)
    expect(await connections()).toEqual(before)

    const ms = await sleep(async () => undefined)
    note('first byte where the connection lived', [ms])
    expect(ms).toBeLessThan(LIVED_MS)
    await expect.poll(() => life(held)).toBe('active')
    expect(await connections()).toEqual(before)
    expect((await status(held)).life.wakeMs).toBeGreaterThan(0)
  })

  test('has new bytes within a second when its connection died in a long freeze', async () => {
    const ms = await sleep(async () => tunnel.die())
    note('first byte where the connection died', [ms])
    expect(ms).toBeLessThan(WOKEN_MS)
    await expect.poll(() => life(held)).toBe('active')
  })

  test('has new bytes within a second when its worker was killed in a long freeze', async () => {
    const ms = await sleep(async () => expect(await one.killSharedWorkers()).toBe(1), true)
    note('first byte where the worker was killed', [ms])
    expect(ms).toBeLessThan(WOKEN_MS)
  })
})

test('a phone without a network waits, says so, and goes on by itself', async ({ phone }) => {
  const peer = await startCountingPeer(24 * MiB)
  try {
    const one = await phone('aeroplane')
    const held = await holdNode(one.page)
    await expect.poll(async () => (await status(held)).reachable).toBe(true)
    const cid = await peer.offer(randomFile(24 * MiB, 'aeroplane').buffer)
    peer.allow(4 * MiB)
    await fetchFrom(held, cid, peer.multiaddr)
    await expect.poll(() => done(held)).toBeGreaterThan(0)
    await one.setOffline(true)
    await expect.poll(() => life(held)).toBe('offline')
    expect((await status(held)).profile).toMatchObject({ profile: 'offline', reason: 'no-network' })
    await one.page.goto(`${one.appUrl}/#/status`)
    await expect(one.page.getByTestId('reach')).toContainText(en.status.noNetwork)
    peer.allow(64 * MiB)
    await one.setOffline(false)
    await expect.poll(() => held.run(({ notes }) => notes.state), { timeout: 20_000 }).toBe('complete')
    await expect.poll(() => life(held)).toBe('active')
  } finally {
    await peer.stop()
  }
})

test('a person chooses Offline and a data limit, and the node keeps to both', async ({ phone }) => {
  const peer = await startCountingPeer(24 * MiB)
  try {
    const one = await phone('chooser')
    const { page } = one
    const held = await holdNode(page)
    await expect.poll(async () => (await status(held)).reachable).toBe(true)
    await page.goto(`${one.appUrl}/#/settings`)
    await page.reload()
    const again = await holdNode(page)
    const choose = (name: string): Promise<void> => page.getByRole('radio', { name: new RegExp(`^${name}`) }).check()

    await choose(en.settings.profiles.offline)
    await expect.poll(async () => (await facts(page)).peers.length).toBe(0)
    expect((await status(again)).relays.map(({ state }) => state)).toEqual(['resting'])
    const moved = (): Promise<number> =>
      again.run(async ({ node }) => {
        const { day } = await node.data.usage()
        return day.counted
      })
    const quiet = await moved()
    expect(quiet).toBeGreaterThan(0)
    await page.goto(`${one.appUrl}/#/status`)
    await expect(page.getByTestId('reach')).toContainText(en.status.quiet.chosen)
    expect(await moved()).toBe(quiet)
    await page.goto(`${one.appUrl}/#/settings`)
    await choose(en.settings.profiles.auto)
    await expect.poll(async () => (await status(again)).reachable, { timeout: 15_000 }).toBe(true)

    const cid = await peer.offer(randomFile(24 * MiB, 'limited').buffer)
    await page.getByLabel(en.settings.limitDay).fill('8')
    await page.getByRole('button', { name: en.settings.setLimits }).click()
    await expect(page.getByText(en.settings.limitsSet)).toBeVisible()
    const stop = drip(peer, 100)
    try {
      await fetchFrom(again, cid, peer.multiaddr)
      await expect(page.getByTestId('capped')).toContainText(en.settings.limitReached.day, { timeout: 15_000 })
      await expect(page.getByTestId('meter')).toContainText('MB received')
      const [waiting] = await again.run(({ node }) => node.transfers.list())
      expect(waiting).toMatchObject({ state: 'waiting', error: { code: 'ERR_DATA_CAP' } })
      await page.goto(`${one.appUrl}/#/`)
      await expect(page.getByTestId('transfer')).toContainText(en.transfer.capped.day)
      await page.goto(`${one.appUrl}/#/settings`)
      await page.getByLabel(en.settings.limitDay).fill('')
      await page.getByRole('button', { name: en.settings.setLimits }).click()
      await expect.poll(() => again.run(({ notes }) => notes.state), { timeout: 20_000 }).toBe('complete')
    } finally {
      stop()
    }
  } finally {
    await peer.stop()
  }
})
