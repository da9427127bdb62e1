import type { Blockstore } from 'interface-blockstore'
import type { CID } from 'multiformats/cid'
import type {
  AddOptions,
  AddProgress,
  AddResult,
  AddSource,
  FetchProgress,
  Pin,
  PinAddOptions,
} from '../../contract/node-api.ts'
import { displayName } from '../../shared/names.ts'
import type { Arrival, Collector } from '../repo/collector.ts'
import type { HeldRoots } from '../repo/held-roots.ts'
import type { Sources } from '../transfers/sources/index.ts'
import type { PocketBlockstore } from '../storage/index.ts'
import { addDirectly, addStaged, type Added, type AddInit, type AddStagedInit } from './add.ts'
import type { BlockSource } from './block-source.ts'
import { fetchDag } from './fetch.ts'
import { lastName, parseCid } from './paths.ts'
import type { PinSet } from './pins.ts'
import type { Reader } from './read.ts'
import type { StagedAdd } from './staged.ts'
import { describeRoot } from './unixfs.ts'

/** What is on this phone because somebody wants it there: adding, keeping, removing. */
export interface Library {
  list(): Pin[]
  get(cid: string): Pin | undefined
  /** Makes blocks of what is staged, and keeps it. */
  addStaged(record: StagedAdd, options: ContentOptions): Promise<AddResult>
  /** Makes blocks of a source while it is read, and keeps it. */
  addDirectly(source: AddSource, options: ContentOptions): Promise<AddResult>
  /** Fetches what is missing, and keeps it. */
  bring(path: string, options: BringOptions): Promise<Pin>
  /** Keeps what is in the store. Resolves after the commit. */
  pin(pins: Pin[]): Promise<void>
  remove(cid: string): Promise<void>
}

export interface ContentOptions extends Pick<AddOptions, 'name'> {
  signal: AbortSignal
  onProgress: (progress: AddProgress) => void
}

export interface BringOptions extends Pick<PinAddOptions, 'name' | 'from'> {
  signal: AbortSignal
  onProgress: (progress: FetchProgress) => void
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
  sources: Sources
  onChange: (pins: Pin[]) => void
}

export function createLibrary(init: LibraryInit): Library {
  const { networked, blocks, source, reader, pins, roots, collector, onChange } = init

  async function commit(...kept: Pin[]): Promise<void> {
    // Strict, and before the pin: what is reported as stored outlives a power cut.
    await blocks.flush('strict')
    for (const pin of kept) await pins.put(pin)
    onChange(pins.list())
  }

  async function bring(path: string, { name, from = [], signal, onProgress, onRoot }: BringOptions): Promise<Pin> {
    const root = await reader.resolve(path, { signal })
    const cid = root.toString()
    onRoot(cid)
    const letGo = roots.hold(root)
    const before = blocks.stat().blocks
    try {
      await fetchDag(root, init, { signal, from, onProgress })
      const known = pins.get(cid)
      // Nothing has come, and nothing is to be kept that is not.
      if (known !== undefined && (name ?? known.name) === known.name && blocks.stat().blocks === before) return known
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

  async function arriving(
    { name, signal, onProgress }: ContentOptions,
    work: (init: AddInit & Pick<AddStagedInit, 'onLeaf'>) => Promise<Added>,
  ): Promise<AddResult> {
    const arrival = collector.arrive()
    let root: CID | undefined
    try {
      const added = await work({
        blocks: recordWrites(networked, blocks, arrival),
        onLeaf: (cid) => arrival.wrote(cid),
        signal,
        onProgress,
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
      await arrival.keep()
      return { cid, size: added.size, files: added.files }
    } catch (error) {
      // A storage that is full must not stay full of what was not added.
      await arrival.discard(root)
      throw error
    }
  }

  return {
    list: () => pins.list(),
    get: (cid) => pins.get(cid),

    bring,

    addStaged: (record, options) => arriving(options, (init) => addStaged(record, { ...init, files: blocks })),

    addDirectly: (content, options) => arriving(options, (init) => addDirectly(content, init)),

    pin: (kept) => commit(...kept),

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
