import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import type { RepoReport, VerifyOptions } from '../../contract/node-api.ts'
import { isPocketError, PocketError, toPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { BlockSource } from '../content/block-source.ts'
import { keyOf, walkDag } from '../content/walk.ts'
import type { PocketBlockstore } from '../storage/index.ts'
import { pipeline } from '../storage/pipeline.ts'

export interface VerifyInit {
  blocks: Pick<PocketBlockstore, 'uses' | 'stat'>
  source: BlockSource
  /** Roots of what is kept. */
  pins: () => string[]
}

/** A screen that is told more often only gets slower, in ms. */
const TELL_MS = 100

/**
 * Hashes every block of the store, then looks for what is missing below the pins. The store denies a damaged block from
 * then on, so asking for it asks the network. Memory is bounded by what is read at once and by what is wrong.
 * @throws PocketError ERR_ABORTED, storage codes
 */
export async function verifyRepo(init: VerifyInit, options: VerifyOptions = {}): Promise<RepoReport> {
  const { signal } = options
  try {
    const report = startReport(options.repair === true)
    await hashAll(init, options, report)
    for (const pin of init.pins()) await walkPin(CID.parse(pin), init, options, report)
    // What no pin needs: under a CID that says nothing of its links, which does for asking.
    for (const cid of report.damaged.values()) await refetch(cid, init, options, report)
    return report.told
  } catch (error) {
    if (signal?.aborted === true) throw new PocketError('ERR_ABORTED', undefined, { cause: signal.reason })
    throw toPocketError(error)
  }
}

interface Report {
  told: RepoReport
  repair: boolean
  /** Damaged blocks that nobody has been asked for. */
  damaged: Map<string, CID>
  /** Blocks that nobody gives. */
  lost: Set<string>
  /** Of the last blocks asked for, one after the other. */
  failures: number
}

function startReport(repair: boolean): Report {
  const told = { checked: 0, damaged: [], damagedCount: 0, missing: [], missingCount: 0, repaired: 0 }
  return { told, repair, damaged: new Map(), lost: new Set(), failures: 0 }
}

async function hashAll({ blocks }: VerifyInit, { signal, onProgress }: VerifyOptions, report: Report): Promise<void> {
  const { told } = report
  const tell = (): void =>
    onProgress?.({
      checked: told.checked,
      total: Math.max(told.checked, blocks.stat().blocks),
      damaged: told.damagedCount,
    })
  let toldAt = Date.now()
  const conditions = pipeline(blocks.uses.all(), LIMITS.verifyWindow, async (cid) => ({
    cid,
    condition: await blocks.uses.check(cid),
  }))
  for await (const { cid, condition } of conditions) {
    signal?.throwIfAborted()
    if (condition !== 'gone') told.checked++
    if (condition === 'damaged') {
      told.damagedCount++
      list(told.damaged, cid)
      report.damaged.set(keyOf(cid), cid)
    }
    if (Date.now() - toldAt < TELL_MS) continue
    toldAt = Date.now()
    tell()
  }
  tell()
}

/** Every leaf is looked for, none is read. */
async function walkPin(root: CID, init: VerifyInit, options: VerifyOptions, report: Report): Promise<void> {
  const { source } = init
  const { told, damaged, lost } = report
  await walkDag(root, {
    window: LIMITS.verifyWindow,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    async load(cid) {
      const key = keyOf(cid)
      if (!(await source.has(cid))) {
        if (!damaged.has(key) && !lost.has(key)) {
          told.missingCount++
          list(told.missing, cid)
        }
        if (!(await refetch(cid, init, options, report))) return undefined
      }
      return cid.code === raw.code ? undefined : source.getLocal(cid)
    },
  })
}

/** Whether somebody gave the block. */
async function refetch(cid: CID, { source }: VerifyInit, { signal }: VerifyOptions, report: Report): Promise<boolean> {
  const key = keyOf(cid)
  // Nobody is connected who has any of it: the rest would only take its time to fail.
  if (!report.repair || report.failures >= LIMITS.verifyWindow || report.lost.has(key)) {
    report.damaged.delete(key)
    report.lost.add(key)
    return false
  }
  try {
    await source.get(cid, { patienceMs: LIMITS.askAgainMs, ...(signal === undefined ? {} : { signal }) })
    report.told.repaired++
    report.failures = 0
    return true
  } catch (error) {
    if (!isPocketError(error, 'ERR_NOT_FOUND') && !isPocketError(error, 'ERR_BLOCK_HASH_MISMATCH')) throw error
    report.failures++
    report.lost.add(key)
    return false
  } finally {
    report.damaged.delete(key)
  }
}

function list(cids: string[], cid: CID): void {
  if (cids.length < LIMITS.maxReportCids) cids.push(cid.toString())
}
