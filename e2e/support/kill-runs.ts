/** Transfers and adds under kills: what `npm test` does a few times, `npm run soak` does for hours. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from '@playwright/test'
import type { Transfer } from '../../src/contract/node-api.ts'
import { LIMITS } from '../../src/shared/limits.ts'
import type { CountingPeer } from './counting-peer.ts'
import { randomFile } from './files.ts'
import { KILL_KINDS, type KilledPhone, type KillKind } from './killed-phone.ts'
import { contentSha256, placeInput } from './on-node.ts'

/** The next kill: of which kind, and after which part of the whole since the last (0 to 1). */
export interface PlannedKill {
  kind: KillKind
  part: number
}

export interface Plan {
  /** Bytes of the file. */
  size: number
  seed: string
  kills: PlannedKill[]
}

export interface Run {
  kind: 'fetch' | 'add'
  /** Those that came before the end. */
  kills: number
  /** Bytes sent beyond what the file has. */
  again: number
  /** Whether something was under way that went on afterwards. */
  cut: boolean
  seconds: number
}

/** How long one transfer may stand still, in ms: longer than it takes to start a browser on a busy machine. */
const STALL_MS = 60_000

/** Kills spread over nine tenths of a run, of all kinds in turn; `random` gives 0 to 1. */
export function planKills(count: number, random: () => number, first = 0): PlannedKill[] {
  return Array.from({ length: count }, (_, index) => ({
    part: (random() * 0.9) / count,
    kind: KILL_KINDS[(first + index) % KILL_KINDS.length] ?? 'page',
  }))
}

/** Fetches a file while the phone is killed as planned, and checks all that must hold. */
export async function fetchUnderKills(phone: KilledPhone, peer: CountingPeer, plan: Plan): Promise<Run> {
  const file = randomFile(plan.size, plan.seed)
  const cid = await peer.offer(file.buffer)
  const began = performance.now()
  const request = { cid, from: [peer.multiaddr], name: file.name }
  const { id } = await phone.node.run(({ node }, argument) => node.transfers.start(argument), request)
  const kills = plan.kills.length
  for (const { kind, part } of plan.kills) {
    peer.allow(part * plan.size)
    await until(phone, id, () => peer.exhausted())
    const { done } = await phone.node.run(({ node }, argument) => node.transfers.get(argument.id), { id })
    await phone.kill(kind)
    // What was reported as stored is there, and nothing can have come since.
    expect(await localBytes(phone, cid), `bytes held after a kill (${kind})`).toBeGreaterThanOrEqual(done)
  }
  peer.allow(Infinity)
  await until(phone, id, () => false)
  const { sent, stored } = peer.count()
  const again = sent - stored
  expect(again, `bytes sent twice over ${kills} kills`).toBeLessThanOrEqual(kills * LIMITS.checkpointBytes)
  await checkWhole(phone, cid, file.sha256)
  return { kind: 'fetch', kills, again, cut: kills > 0, seconds: (performance.now() - began) / 1000 }
}

export interface AddPlan {
  /** Bytes of the file. */
  size: number
  seed: string
  kind: KillKind
  /** How long, in ms, after its source was taken in; `early`: at once, while that is under way. */
  when: number | 'early'
}

/** Adds a file, kills the phone once, and checks all that must hold; the peer says which CID it must get. */
export async function addUnderKill(phone: KilledPhone, peer: CountingPeer, plan: AddPlan): Promise<Run> {
  const file = randomFile(plan.size, plan.seed)
  const cid = await peer.offer(file.buffer)
  const folder = await mkdtemp(join(tmpdir(), 'pocket-added-'))
  try {
    const path = join(folder, file.name)
    await writeFile(path, file.buffer)
    const began = performance.now()
    let id = await beginAdd(phone, path)
    if (plan.when !== 'early') {
      await untilDurable(phone, id)
      await new Promise((resolve) => setTimeout(resolve, Number(plan.when)))
    }
    const before = await find(phone, id)
    await phone.kill(plan.kind)
    const after = await find(phone, id)
    if (after === undefined) {
      expect(before?.durable ?? false, `its source was taken in before a kill (${plan.kind})`).toBe(false)
      id = await beginAdd(phone, path)
    }
    expect((await until(phone, id, () => false)).cid).toBe(cid)
    await checkWhole(phone, cid, file.sha256)
    const cut = after !== undefined && before?.state !== 'complete'
    return { kind: 'add', kills: 1, again: 0, cut, seconds: (performance.now() - began) / 1000 }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Resolves with the id of the transfer. */
async function beginAdd(phone: KilledPhone, path: string): Promise<string> {
  await phone.pick(await placeInput(phone.page), path)
  return phone.node.run(({ node, start }) => {
    const [picked] = document.querySelector<HTMLInputElement>('#test-input')?.files ?? []
    if (picked === undefined) throw new Error('no file is picked')
    const transfer = crypto.randomUUID()
    start(`add ${transfer}`, node.add(picked, { transfer }))
    document.querySelector('#test-input')?.remove()
    return transfer
  })
}

/** Resolves when its source is not needed any more. */
async function untilDurable(phone: KilledPhone, id: string): Promise<void> {
  await phone.node.run(
    ({ node }, argument) =>
      new Promise<void>((resolve) => {
        const watching = node.transfers.watch((transfer) => {
          if (transfer.id !== argument.id || !transfer.durable) return
          queueMicrotask(() => watching.stop())
          resolve()
        })
      }),
    { id },
  )
}

/** Nothing is under way, all blocks are there and right, and nothing of it stays when it is removed. */
async function checkWhole(phone: KilledPhone, cid: string, sha256: string): Promise<void> {
  const transfers = await phone.node.run(({ node }) => node.transfers.list())
  expect(transfers.filter(({ kind, state }) => kind !== 'send' && state !== 'complete')).toEqual([])
  expect(await contentSha256(phone.page, cid)).toBe(sha256)
  const { report, stat } = await phone.node.run(
    async ({ node }, argument) => {
      const found = await node.repo.verify()
      await node.pin.rm(argument.cid)
      await node.repo.gc()
      return { report: found, stat: await node.repo.stat() }
    },
    { cid },
  )
  expect(report).toMatchObject({ damaged: [], missing: [] })
  expect(report.checked).toBeGreaterThan(0)
  expect(stat).toMatchObject({ blocks: 0, bytes: 0 })
}

/** Undefined when the node does not know it: the add was cut off before its source was taken in. */
async function find(phone: KilledPhone, id: string): Promise<Transfer | undefined> {
  const transfers = await phone.node.run(({ node }) => node.transfers.list())
  return transfers.find((transfer) => transfer.id === id)
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

async function localBytes(phone: KilledPhone, cid: string): Promise<number> {
  return (await phone.node.run(({ node }, argument) => node.stat(argument.cid), { cid })).local.bytes
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
