import type { Blockstore } from 'interface-blockstore'
import type { CID } from 'multiformats/cid'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { readCar } from './decode.ts'

export interface CarImport {
  roots: CID[]
  blocks: number
  bytes: number
}

export interface CarImportOptions {
  signal?: AbortSignal
  onProgress?: (progress: { blocks: number; bytes: number }) => void
}

/**
 * Stores every block of a CAR, each checked against its hash first. Resolves after the last commit.
 * @throws PocketError ERR_INVALID_CAR, ERR_BLOCK_TOO_LARGE, ERR_BLOCK_HASH_MISMATCH, ERR_ABORTED, storage codes
 */
export async function importCar(
  source: AsyncIterable<Uint8Array>,
  blocks: { put(cid: CID, bytes: Uint8Array, options: { verify: true }): Promise<CID> } & Pick<Blockstore, 'has'>,
  { signal, onProgress }: CarImportOptions = {},
): Promise<CarImport> {
  const car = await readCar(source)
  const result: CarImport = { roots: car.roots, blocks: 0, bytes: 0 }
  const writing = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined
  for await (const { cid, bytes } of car.blocks) {
    if (signal?.aborted === true) throw new PocketError('ERR_ABORTED', undefined, { cause: signal.reason })
    const job = blocks
      .put(cid, bytes, { verify: true })
      .then(() => {
        result.blocks++
        result.bytes += bytes.byteLength
        onProgress?.({ blocks: result.blocks, bytes: result.bytes })
      })
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => writing.delete(job))
    writing.add(job)
    if (writing.size >= LIMITS.writeWindow) await Promise.race(writing)
    if (failure !== undefined) break
  }
  await Promise.all(writing)
  if (failure !== undefined) throw failure.error
  return result
}
