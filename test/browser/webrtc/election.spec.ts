/** Which page lends. The frames are pages of this origin: each has its locks, and goes away with them. */
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { LENDER_LOCK } from '../../../src/contract/host-link.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { borrow } from './borrowed.ts'
import { openFrame, type Frame } from './frames.ts'
import { once } from './kit.ts'

/** The pages of a test before this one are gone when their lock is. */
beforeEach(() => navigator.locks.request(LENDER_LOCK, () => undefined))

/** The first of these pages to offer, with its port. */
async function elected(...frames: Frame[]): Promise<{ winner: Frame; port: MessagePort }> {
  return Promise.race(frames.map(async (winner) => ({ winner, port: await winner.offered() })))
}

const lockNames = async (kind: 'held' | 'pending'): Promise<(string | undefined)[]> =>
  (await navigator.locks.query())[kind]?.map(({ name }) => name) ?? []

describe('of several pages', () => {
  it('one lends; when it is killed the next takes over, and its connections have failed', async () => {
    const borrowed = borrow()
    const frames = [await openFrame(), await openFrame()]
    const first = elected(...frames)
    for (const frame of frames) frame.tell({ type: 'elect' })
    const { winner, port } = await first
    await borrowed.attach(port)
    const { a } = await borrowed.pair()

    const [other] = frames.filter((frame) => frame !== winner)
    const next = elected(...frames)
    const failed = once(a, 'connectionstatechange')
    const killed = performance.now()
    winner.kill()
    const second = await next
    expect(second.winner).toBe(other)
    await borrowed.attach(second.port)
    await failed
    const took = performance.now() - killed
    expect(took, `taken over after ${took} ms`).toBeLessThan(LIMITS.lenderAnswerMs)
    await borrowed.pair()
  })

  it('a hidden one makes way for a visible one, but goes on with what it lends', async () => {
    const borrowed = borrow()
    const first = await openFrame()
    const offered = first.offered()
    first.tell({ type: 'elect' })
    await borrowed.attach(await offered)
    const before = await borrowed.pair()

    const second = await openFrame()
    second.tell({ type: 'elect' })
    const next = second.offered()
    first.tell({ type: 'show', visible: false })
    await borrowed.attach(await next)
    const after = await borrowed.pair()
    expect(before.a.connectionState).toBe('connected')
    const failed = once(before.a, 'connectionstatechange')
    first.kill()
    await failed
    expect([before.a.connectionState, after.a.connectionState]).toEqual(['failed', 'connected'])
  })

  it('one that is hidden alone still lends, and takes the lock again when it is shown', async () => {
    const borrowed = borrow()
    const frame = await openFrame()
    const offered = frame.offered()
    frame.tell({ type: 'elect' })
    await borrowed.attach(await offered)
    frame.tell({ type: 'show', visible: false })
    await expect.poll(() => lockNames('held')).not.toContain(LENDER_LOCK)
    await borrowed.pair()
    frame.tell({ type: 'show', visible: true })
    await expect.poll(() => lockNames('held')).toContain(LENDER_LOCK)
    expect(borrowed.lent.state()).toBe('available')
  })

  it('one that hangs while it holds the lock is robbed of it', async () => {
    // It holds the lock and answers nobody.
    const robbed = navigator.locks.request(LENDER_LOCK, () => new Promise(() => undefined))
    robbed.catch(() => undefined)
    const frame = await openFrame()
    const offered = frame.offered()
    const asked = performance.now()
    frame.tell({ type: 'elect' })
    await offered
    expect(performance.now() - asked).toBeGreaterThan(LIMITS.lenderAnswerMs - 100)
    await expect(robbed).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('one that answers keeps the lock, however often it is asked', async () => {
    const frames = [await openFrame(), await openFrame()]
    const questions = new BroadcastChannel(LENDER_LOCK)
    onTestFinished(() => questions.close())
    const answers: string[] = []
    const answeredTwice = new Promise<void>((resolve) => {
      questions.onmessage = ({ data }: MessageEvent<string>) => {
        if (data === 'me') answers.push(data)
        // The first says that it has the lock.
        if (answers.length === 3) resolve()
      }
    })
    const first = elected(...frames)
    for (const frame of frames) frame.tell({ type: 'elect' })
    const { winner } = await first
    const [waiting] = frames.filter((frame) => frame !== winner)
    let offers = 0
    void waiting?.offered().then(() => offers++)
    await answeredTwice
    expect(offers).toBe(0)
    expect(await lockNames('pending')).toContain(LENDER_LOCK)
  })
})

describe('the page that lends', () => {
  it('closes its connections and lets its locks go for the back/forward cache, and lends again when it is back', async () => {
    const borrowed = borrow()
    const frame = await openFrame()
    const offered = frame.offered()
    frame.tell({ type: 'elect' })
    await borrowed.attach(await offered)
    const { a, far } = await borrowed.pair()
    const ends = [once(a, 'connectionstatechange'), once(far, 'close')]
    frame.tell({ type: 'away' })
    await Promise.all(ends)
    expect(borrowed.lent.state()).toBe('no-page')
    await expect.poll(async () => (await lockNames('held')).filter((name) => name?.startsWith(LENDER_LOCK))).toEqual([])
    const again = frame.offered()
    frame.tell({ type: 'back' })
    await borrowed.attach(await again)
    await borrowed.pair()
  })

  it('offers itself anew to a new host, with nothing left of what it lent the old one', async () => {
    const [old, fresh] = [borrow(), borrow()]
    const frame = await openFrame()
    const offered = frame.offered()
    frame.tell({ type: 'elect' })
    await old.attach(await offered)
    const { far } = await old.pair()
    const gone = once(far, 'close')
    const again = frame.offered()
    frame.tell({ type: 'renew' })
    await fresh.attach(await again)
    await Promise.all([gone, old.until('no-page')])
    await fresh.pair()
  })

  it('offers itself again when the worker has let it go', async () => {
    const borrowed = borrow()
    const frame = await openFrame()
    const offered = frame.offered()
    frame.tell({ type: 'elect' })
    const port = await offered
    const again = frame.offered()
    port.postMessage({ t: 'bye' })
    await borrowed.attach(await again)
  })
})
