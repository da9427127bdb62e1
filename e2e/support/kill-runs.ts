/** Transfers and adds under kills: what `npm test` does a few times, `npm run soak` does for hours. */
import { expect } from '@playwright/test'
import type { StatResult, Transfer } from '../../src/contract/node-api.ts'
import { LIMITS } from '../../src/shared/limits.ts'
import type { CountingPeer } from './counting-peer.ts'
import { randomFile } from './files.ts'
import { KILL_KINDS, type KilledPhone, type KillKind } from './killed-phone.ts'
import { contentSha256 } from './on-node.ts'

/** The next kill: of which kind, and when (a part of the whole, 0 to 1). */
export interface PlannedKill {
  kind: KillKind
  at: number
}

export interface FetchRun {
  kills: number
  /** Bytes sent beyond what the file has. */
  again: number
  bytes: number
  seconds: number
}

/** How long one transfer may stand still, in ms: longer than it takes to start a browser on a busy machine. */
const STALL_MS = 45_000

/** Kills spread over a run, of all kinds in turn; `random` gives 0 to 1. */
export function planKills(count: number, random: () => number, first = 0): PlannedKill[] {
  return Array.from({ length: count }, () => random())
    .sort((a, b) => a - b)
    .map((at, index) => ({ at, kind: KILL_KINDS[(first + index) % KILL_KINDS.length] ?? 'page' }))
}

/** Fetches a file of `size` bytes while the phone is killed as planned, and checks all that must hold. */
export async function fetchUnderKills(
  phone: KilledPhone,
  peer: CountingPeer,
  { size, seed, kills }: { size: number; seed: string; kills: PlannedKill[] },
): Promise<FetchRun> {
  const file = randomFile(size, seed)
  const cid = await peer.offer(file.buffer)
  const began = performance.now()
  const { id } = await phone.node.run(({ node }, request) => node.transfers.start(request), {
    cid,
    from: [peer.multiaddr],
    name: file.name,
  })
  let done = 0
  for (const { kind, at } of kills) {
    const before = await until(phone, id, (transfer) => transfer.done >= at * size && transfer.state === 'running')
    done = Math.max(done, before.done)
    if (before.state === 'complete') break
    await phone.kill(kind)
    // What was reported as stored is there, before anything else has come.
    const { local } = await statLocal(phone, cid)
    expect(local.bytes, `bytes held after a kill (${kind}) at ${done}`).toBeGreaterThanOrEqual(done)
  }
  await until(phone, id, () => false)
  const transfers = await phone.node.run(({ node }) => node.transfers.list())
  expect(transfers.filter((each) => each.cid === cid).map(({ state }) => state)).toEqual(['complete'])
  expect((await statLocal(phone, cid)).local.complete).toBe(true)
  expect(await contentSha256(phone.page, cid)).toBe(file.sha256)
  const { sent, stored } = peer.count()
  const again = sent - stored
  expect(again, `bytes sent twice over ${kills.length} kills`).toBeLessThanOrEqual(
    kills.length * LIMITS.checkpointBytes,
  )
  await phone.node.run(({ node }, argument) => node.pin.rm(argument.cid), { cid })
  return { kills: kills.length, again, bytes: size, seconds: (performance.now() - began) / 1000 }
}

/** Resolves when `check` holds or the transfer is complete; rejects when it failed or stands still. */
async function until(phone: KilledPhone, id: string, check: (transfer: Transfer) => boolean): Promise<Transfer> {
  let last = { done: -1, at: Date.now() }
  for (;;) {
    const transfer = await phone.node.run(({ node }, argument) => node.transfers.get(argument.id), { id })
    if (transfer.state === 'complete' || check(transfer)) return transfer
    if (transfer.state === 'failed' || transfer.state === 'cancelled') {
      throw new Error(`The transfer is ${transfer.state}: ${JSON.stringify(transfer.error)}`)
    }
    if (transfer.done > last.done) last = { done: transfer.done, at: Date.now() }
    if (Date.now() - last.at > STALL_MS) throw new Error(`Stands still: ${JSON.stringify(transfer)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function statLocal(phone: KilledPhone, cid: string): Promise<StatResult> {
  return phone.node.run(({ node }, argument) => node.stat(argument.cid), { cid })
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
