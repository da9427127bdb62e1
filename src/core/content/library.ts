import type { Blockstore } from 'interface-blockstore'
import type { CID } from 'multiformats/cid'
import type { AddOptions, AddResult, AddSource, Pin, PinAddOptions } from '../../contract/node-api.ts'
import { toPocketError } from '../../shared/errors.ts'
import { displayName } from '../../shared/names.ts'
import type { Activities, ActivityHandle } from '../events.ts'
import type { Arrival, Collector } from '../repo/collector.ts'
import type { HeldRoots } from '../repo/held-roots.ts'
import type { Accelerator } from '../transfers/accelerate.ts'
import type { PocketBlockstore } from '../storage/index.ts'
import { addContent } from './add-content.ts'
import type { BlockSource } from './block-source.ts'
import { fetchDag } from './fetch.ts'
import { parseCid } from './paths.ts'
import type { PinSet } from './pins.ts'
import type { Reader } from './read.ts'
import { describeRoot } from './unixfs.ts'

/** What is on this phone because somebody wants it there: adding, keeping, removing. */
export interface Library {
  list(): Pin[]
  get(cid: string): Pin | undefined
  add(source: AddSource, options?: AddOptions): Promise<AddResult>
  keep(path: string, options?: PinAddOptions): Promise<Pin>
  /** The same for a job of the node, which tells of itself. */
  bring(path: string, options: BringOptions): Promise<Pin>
  remove(cid: string): Promise<void>
}

export interface BringOptions extends PinAddOptions {
  /** The path has led to this CID. */
  onRoot: (cid: string) => void
}

export interface LibraryInit {
  /** Helia's blockstore: peers that wait for a block hear of it. */
  networked: Pick<Blockstore, 'get' | 'put' | 'has'>
  blocks: PocketBlockstore
  source: BlockSource
  reader: Reader
  pins: PinSet
  roots: HeldRoots
  collector: Collector
  accelerator: Accelerator
  activities: Activities
  onChange: (pins: Pin[]) => void
}

export function createLibrary(init: LibraryInit): Library {
  const { networked, blocks, source, reader, pins, roots, collector, activities, onChange } = init

  async function commit(pin: Pin): Promise<void> {
    // Strict, and before the pin: what is reported as stored outlives a power cut.
    await blocks.flush('strict')
    await pins.put(pin)
    onChange(pins.list())
  }

  async function bring(
    path: string,
    { name, from = [], signal = never(), onProgress, onRoot }: BringOptions,
  ): Promise<Pin> {
    const root = await reader.resolve(path, { signal })
    const cid = root.toString()
    onRoot(cid)
    const letGo = roots.hold(root)
    try {
      await fetchDag(root, init, { signal, from, onProgress: (progress) => onProgress?.(progress) })
      const known = pins.get(cid)
      const pin: Pin = {
        cid,
        name: displayName(name ?? known?.name, lastName(path)),
        ...describeRoot(root, await source.getLocal(root)),
        addedAt: known?.addedAt ?? Date.now(),
        origin: known?.origin ?? 'received',
      }
      await commit(pin)
      return pin
    } finally {
      letGo()
    }
  }

  return {
    list: () => pins.list(),
    get: (cid) => pins.get(cid),

    add: (content, { name, activity: id, signal = never(), onProgress } = {}) =>
      track(activities.start('add', displayName(name, sourceName(content)), id), async (activity) => {
        const arrival = collector.arrive()
        let root: CID | undefined
        try {
          const added = await addContent(content, {
            blocks: recordWrites(networked, blocks, arrival),
            onLeaf: (cid) => arrival.wrote(cid),
            files: blocks,
            signal,
            onProgress: (progress) => {
              activity.update({
                done: progress.bytes,
                ...(progress.total === undefined ? {} : { total: progress.total }),
              })
              onProgress?.(progress)
            },
          })
          root = added.cid
          const cid = root.toString()
          await commit({
            cid,
            name: displayName(name ?? added.name, cid),
            size: added.size,
            type: added.type,
            addedAt: Date.now(),
            origin: 'added',
          })
          activity.update({ cid, done: added.size, total: added.size })
          await arrival.keep()
          return { cid, size: added.size, files: added.files }
        } catch (error) {
          // A storage that is full must not stay full of what was not added.
          await arrival.discard(root)
          throw error
        }
      }),

    bring,

    keep: (path, { activity: id, onProgress, ...options } = {}) =>
      track(activities.start('fetch', displayName(options.name, lastName(path)), id), (activity) =>
        bring(path, {
          ...options,
          onRoot: (cid) => activity.update({ cid }),
          onProgress: (progress) => {
            activity.update({
              done: progress.bytes,
              ...(progress.total === undefined ? {} : { total: progress.total }),
            })
            onProgress?.(progress)
          },
        }),
      ),

    async remove(text) {
      const root = parseCid(text)
      await pins.remove(root.toString())
      onChange(pins.list())
      // Best effort: what was asked for is done, and what stays is garbage for the next time.
      await collector.release(root).catch(() => undefined)
    },
  }
}

/** Notes what is put and was not there. */
function recordWrites(
  target: LibraryInit['networked'],
  local: Pick<Blockstore, 'has'>,
  arrival: Pick<Arrival, 'wrote'>,
): LibraryInit['networked'] {
  return {
    get: (cid, options) => target.get(cid, options),
    has: (cid, options) => target.has(cid, options),
    async put(cid, bytes, options) {
      const known = await local.has(cid)
      const result = await target.put(cid, bytes, options)
      if (!known) arrival.wrote(cid)
      return result
    },
  }
}

async function track<T>(activity: ActivityHandle, work: (activity: ActivityHandle) => Promise<T>): Promise<T> {
  try {
    const result = await work(activity)
    activity.complete()
    return result
  } catch (error) {
    const coded = toPocketError(error)
    activity.fail(coded)
    throw coded
  }
}

function lastName(path: string): string {
  return path.split('/').at(-1) ?? path
}

function sourceName(source: AddSource): string {
  if (Array.isArray(source)) return source[0]?.path.split('/')[0] ?? 'folder'
  return source instanceof Blob && 'name' in source ? String(source.name) : 'file'
}

function never(): AbortSignal {
  return new AbortController().signal
}
