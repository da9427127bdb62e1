import type { Libp2p } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Transfer, TransferRequest, TransfersApi } from '../../contract/node-api.ts'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import type { Library } from '../content/library.ts'
import { parsePath } from '../content/paths.ts'
import { parseMultiaddr } from '../network/multiaddr.ts'
import type { NetworkInfo } from '../ports.ts'
import type { HeldRoots } from '../repo/held-roots.ts'
import type { PocketBlockstore } from '../storage/index.ts'
import type { Job } from './job.ts'
import { Jobs, type JobRun } from './jobs.ts'
import type { Journal } from './journal.ts'

/** Jobs that outlive the node. */
export interface Transfers extends TransfersApi {
  /** Goes on with what the journal says is not over. */
  begin(): void
  /** Ends what runs; the journal says it is to go on. Resolves when nothing is written any more. */
  stop(): Promise<void>
}

export interface TransfersInit {
  journal: Journal
  blocks: Pick<PocketBlockstore, 'flush'>
  library: Pick<Library, 'bring'>
  roots: HeldRoots
  libp2p: Pick<Libp2p, 'addEventListener' | 'removeEventListener'>
  network: NetworkInfo
  /** Dials peers in the background, and again when they are lost. */
  follow(addrs: Multiaddr[]): void
}

export function createTransfers(init: TransfersInit): Transfers {
  return new NodeTransfers(init)
}

class NodeTransfers implements Transfers {
  readonly #init: TransfersInit
  readonly #jobs: Jobs
  readonly #listeners = new Set<(transfer: Transfer) => void>()
  readonly #stops: (() => void)[] = []
  /** A browser may say that there is no network where there is one: whoever connects knows better. */
  #connected = false

  constructor(init: TransfersInit) {
    this.#init = init
    this.#jobs = new Jobs({
      journal: init.journal,
      run: (run) => this.#fetch(run),
      hold: ({ path }) => (path === undefined ? () => undefined : hold(init.roots, path)),
      checkpoint: () => init.blocks.flush('strict'),
      reachable: () => this.#connected || init.network.online(),
      onChange: (transfer) => {
        for (const listener of this.#listeners) listener(transfer)
      },
    })
  }

  begin(): void {
    const { libp2p, network } = this.#init
    const opened = (): void => {
      this.#connected = true
      this.#jobs.wake()
    }
    libp2p.addEventListener('connection:open', opened)
    this.#stops.push(
      () => libp2p.removeEventListener('connection:open', opened),
      network.watch((online) => {
        this.#connected = false
        if (online) this.#jobs.wake()
        else this.#jobs.interrupt(new PocketError('ERR_OFFLINE'))
      }),
    )
    this.#jobs.start()
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) stop()
    await this.#jobs.stop()
  }

  async start({ cid, from = [], name, priority }: TransferRequest): Promise<Transfer> {
    const parsed = parsePath(cid)
    const path = [parsed.cid.toString(), ...parsed.names].join('/')
    multiaddrsOf(from)
    const same = this.#jobs.all().filter(({ record }) => record.path === path)
    const underWay = same.find((job) => !job.over)
    if (underWay !== undefined) {
      const { record } = underWay
      await this.#jobs.change(underWay, {
        from: [...new Set([...from, ...record.from])].slice(0, LIMITS.maxFetchSources),
        ...(name === undefined ? {} : { name }),
        ...(priority === undefined ? {} : { priority }),
      })
      if (record.state === 'waiting') await this.#jobs.queue(underWay)
      return underWay.view()
    }
    const job = await this.#jobs.add({
      version: 1,
      id: crypto.randomUUID(),
      kind: 'fetch',
      state: 'queued',
      path,
      ...(parsed.names.length === 0 ? { cid: path } : {}),
      ...(name === undefined ? {} : { name }),
      from,
      done: 0,
      priority: priority ?? 0,
      sources: [],
      attempts: 0,
      createdAt: Date.now(),
      updatedAt: Date.now(),
    })
    // What became of it earlier is of no interest any more.
    for (const old of same) await this.#jobs.forget(old)
    return job.view()
  }

  list = async (): Promise<Transfer[]> => this.#jobs.all().map((job) => job.view())

  get = async (id: string): Promise<Transfer> => this.#jobs.get(id).view()

  pause = (id: string): Promise<Transfer> =>
    this.#with(id, async (job) => {
      if (!job.over && job.record.state !== 'paused') await this.#jobs.halt(job, 'paused')
    })

  resume = (id: string): Promise<Transfer> =>
    this.#with(id, async (job) => {
      if (job.record.state === 'paused') await this.#jobs.queue(job)
    })

  cancel = (id: string): Promise<Transfer> =>
    this.#with(id, async (job) => {
      if (!job.over || job.record.state === 'failed') await this.#jobs.halt(job, 'cancelled')
    })

  retry = (id: string): Promise<Transfer> =>
    this.#with(id, async (job) => {
      const { state } = job.record
      if (state === 'waiting' || state === 'failed' || state === 'cancelled') await this.#jobs.queue(job)
    })

  watch: TransfersApi['watch'] = (listener) => {
    for (const job of this.#jobs.all()) listener(job.view())
    this.#listeners.add(listener)
    return { stop: () => void this.#listeners.delete(listener) }
  }

  async #with(id: string, work: (job: Job) => Promise<void>): Promise<Transfer> {
    const job = this.#jobs.get(id)
    await work(job)
    return job.view()
  }

  async #fetch({ record, signal, progress }: JobRun): Promise<void> {
    const { path, name, from } = record
    if (path === undefined) throw new PocketError('ERR_INVALID_PATH')
    this.#init.follow(multiaddrsOf(from))
    await this.#init.library.bring(path, {
      from,
      ...(name === undefined ? {} : { name }),
      signal,
      onRoot: (cid) => progress({ cid }),
      onProgress: ({ bytes, total, sources }) =>
        progress({
          done: bytes,
          ...(total === undefined ? {} : { total }),
          ...(sources === undefined ? {} : { sources }),
        }),
    })
  }
}

/** @throws PocketError ERR_INVALID_MULTIADDR */
function multiaddrsOf(from: string[]): Multiaddr[] {
  return from.filter((each) => each.startsWith('/')).map(parseMultiaddr)
}

function hold(roots: HeldRoots, path: string): () => void {
  try {
    const letGo = roots.hold(parsePath(path).cid)
    return () => letGo()
  } catch {
    // A record of a version that read more: its run will say so.
    return () => undefined
  }
}
