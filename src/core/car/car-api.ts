import type { CarApi, CarImportOptions, CarImportResult, Pin } from '../../contract/node-api.ts'
import { PocketError, toPocketError } from '../../shared/errors.ts'
import { displayName } from '../../shared/names.ts'
import type { BlockSource } from '../content/block-source.ts'
import type { Library } from '../content/library.ts'
import type { Reader } from '../content/read.ts'
import { chunksOf, isFile } from '../content/sources.ts'
import { describeRoot } from '../content/unixfs.ts'
import { keyOf } from '../content/walk.ts'
import type { Arrival, Collector } from '../repo/collector.ts'
import type { HeldRoots } from '../repo/held-roots.ts'
import type { PocketBlockstore } from '../storage/index.ts'
import { exportCar } from './export.ts'
import { checkRoot, storeCar, type CarStore } from './import.ts'

export interface CarInit {
  blocks: PocketBlockstore
  source: BlockSource
  reader: Pick<Reader, 'resolve'>
  library: Pick<Library, 'get' | 'pin'>
  roots: HeldRoots
  collector: Collector
}

export function createCarApi(init: CarInit): CarApi {
  const { source, reader } = init
  const own: Pick<BlockSource, 'get'> = { get: (cid, options) => source.getOwn(cid, options) }
  return {
    async import(content, options = {}) {
      const name = options.name ?? (isFile(content) ? content.name.replace(/\.car$/i, '') : undefined)
      return importCar(content, init, { ...options, ...(name === undefined ? {} : { name }) })
    },

    export(path, { signal } = {}) {
      const options = signal === undefined ? {} : { signal }
      let chunks: AsyncGenerator<Uint8Array, void> | undefined
      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            chunks ??= exportCar(await reader.resolve(path, options), own, options)
            const { done, value } = await chunks.next()
            if (done === true) controller.close()
            else controller.enqueue(value)
          },
          cancel: async () => void (await chunks?.return()),
        },
        { highWaterMark: 0 },
      )
    },
  }
}

async function importCar(
  content: Parameters<CarApi['import']>[0],
  { blocks, source, library, roots: held, collector }: CarInit,
  { name, signal = new AbortController().signal, onProgress }: CarImportOptions,
): Promise<CarImportResult> {
  const arrival = collector.arrive()
  const releases: (() => void)[] = []
  try {
    const chunks = chunksOf(content, signal)
    const car = await storeCar(chunks, verified(blocks, arrival), {
      signal,
      onProgress: (progress) => onProgress?.(progress),
    })
    const { arrived, blocks: count, bytes } = car
    const incomplete = []
    const complete = []
    for (const root of new Map(car.roots.map((cid) => [cid.toString(), cid])).values()) {
      const whole = await checkRoot(root, source, { signal, onBlock: (cid) => void arrived.delete(keyOf(cid)) })
      if (whole) complete.push(root)
      else incomplete.push(root)
    }
    const pins: Pin[] = []
    for (const root of complete) {
      const cid = root.toString()
      const known = library.get(cid)
      pins.push({
        cid,
        name: displayName(known?.name ?? (complete.length === 1 ? name : undefined), cid),
        ...describeRoot(root, await source.getLocal(root)),
        addedAt: known?.addedAt ?? Date.now(),
        origin: known?.origin ?? 'added',
      })
    }
    signal.throwIfAborted()
    await library.pin(pins)
    // Parts of what is not complete save whoever fetches the rest some of it. What no root leads to goes.
    for (const root of incomplete) releases.push(held.hold(root))
    if (arrived.size > 0) await arrival.discard()
    else await arrival.keep()
    return {
      roots: car.roots.map(String),
      incomplete: incomplete.map(String),
      blocks: count,
      bytes,
      dropped: arrived.size,
    }
  } catch (error) {
    await arrival.discard()
    if (signal.aborted) throw new PocketError('ERR_ABORTED', undefined, { cause: signal.reason })
    throw toPocketError(error)
  } finally {
    for (const release of releases) release()
  }
}

/** Every block is hashed; what was not there before is noted. */
function verified(blocks: PocketBlockstore, arrival: Pick<Arrival, 'wrote'>): CarStore {
  return {
    async put(cid, bytes) {
      const known = await blocks.has(cid)
      await blocks.put(cid, bytes, { verify: true })
      if (!known) arrival.wrote(cid)
    },
  }
}
