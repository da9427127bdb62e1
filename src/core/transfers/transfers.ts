import type { Libp2p } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { ipfsPath } from '../../contract/link.ts'
import type { FetchProgress, NodeService, Transfer, TransferRequest, TransfersApi } from '../../contract/node-api.ts'
import { PocketError, toPocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { displayName } from '../../shared/names.ts'
import type { Library } from '../content/library.ts'
import { lastName, parseCid, parsePath } from '../content/paths.ts'
import { parseMultiaddr } from '../network/multiaddr.ts'
import type { NetworkInfo } from '../ports.ts'
import type { HeldRoots } from '../repo/held-roots.ts'
import type { PocketBlockstore } from '../storage/index.ts'
import { newRecord } from './board.ts'
import { createImports, type Imports } from './imports.ts'
import type { Job, JobProgress } from './job.ts'
import { Jobs, type JobRun } from './jobs.ts'
import type { Journal } from './journal.ts'
import { createSends, type Answer, type Sends } from './sends.ts'

/** Jobs that outlive the node, and what callers do that looks like them. */
export interface Transfers extends TransfersApi {
  readonly add: NodeService['add']
  readonly keep: NodeService['pin']['add']
  /** A peer has asked for something, and is being answered until `end`. */
  answer(peerId: string, cid: string): Answer
  /** Goes on with what the journal says is not over. */
  begin(): void
  /** Something has changed that may let fetches go on, or not: the blocked are ended, those that wait are tried. */
  review(minRetryMs?: number): void
  /** Puts what is arriving, and how far it is, on the disk. */
  checkpoint(): Promise<void>
  /** Ends what runs; the journal says it is to go on. Resolves when nothing is written any more. */
  stop(): Promise<void>
}

export interface TransfersInit {
  journal: Journal
  blocks: Pick<PocketBlockstore, 'flush' | 'keepsFiles' | 'putFile' | 'openFile'>
  library: Pick<Library, 'bring' | 'addStaged' | 'addDirectly' | 'get'>
  roots: HeldRoots
  /** Frees what only this DAG needed. */
  release(root: CID): Promise<unknown>
  libp2p: Pick<Libp2p, 'addEventListener' | 'removeEventListener'>
  network: NetworkInfo
  /** Why nothing may be fetched at all, if so. */
  blocked(): PocketError | undefined
}

export function createTransfers(init: TransfersInit): Transfers {
  return new NodeTransfers(init)
}

class NodeTransfers implements Transfers {
  readonly #init: TransfersInit
  readonly #jobs: Jobs
  readonly #imports: Imports
  readonly #sends: Sends
  readonly #listeners = new Set<(transfer: Transfer) => void>()
  readonly #stops: (() => void)[] = []
  /** A browser may say that there is no network where there is one: whoever connects knows better. */
  #connected = false

  constructor(init: TransfersInit) {
    this.#init = init
    const { journal, library, blocks, roots } = init
    const onChange = (transfer: Transfer): void => {
      for (const listener of this.#listeners) listener(transfer)
    }
    this.#imports = createImports({ jobs: () => this.#jobs, library, blocks })
    this.#jobs = new Jobs({
      journal,
      run: (run) => (run.record.kind === 'fetch' ? this.#fetch(run) : this.#imports.run(run)),
      hold: (record) => (record.path === undefined ? this.#imports.hold(record) : holdRoot(roots, record.path)),
      checkpoint: () => blocks.flush('strict'),
      blocked: () => this.#blocked(),
      onChange,
    })
    this.#sends = createSends({ nameOf: (cid) => library.get(cid)?.name, onChange })
  }

  get add(): NodeService['add'] {
    return this.#imports.add
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
        else this.#jobs.interrupt(this.#blocked() ?? new PocketError('ERR_OFFLINE'))
      }),
    )
    this.#jobs.start()
  }

  review(minRetryMs?: number): void {
    const blocked = this.#blocked()
    if (blocked === undefined) this.#jobs.wake(minRetryMs)
    else this.#jobs.interrupt(blocked)
  }

  checkpoint(): Promise<void> {
    return this.#jobs.checkpoint()
  }

  #blocked(): PocketError | undefined {
    const reason = this.#init.blocked()
    // Whoever is connected knows better than a browser that says that there is no network.
    return reason?.code === 'ERR_OFFLINE' && reason.detail?.chosen !== true && this.#connected ? undefined : reason
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) stop()
    this.#sends.stop()
    await this.#jobs.stop()
  }

  answer(peerId: string, cid: string): Answer {
    return this.#sends.begin(peerId, cid)
  }

  keep: NodeService['pin']['add'] = async (path, { transfer, name, from, signal, onProgress } = {}) => {
    const blocked = this.#init.blocked()
    // Offline, what is here already can be kept all the same.
    if (blocked !== undefined && blocked.code !== 'ERR_OFFLINE') throw blocked
    const shown = displayName(name, lastName(path))
    const guest = this.#jobs.guest({ kind: 'fetch', id: transfer, name: shown })
    let root: CID | undefined
    try {
      const pin = await this.#init.library.bring(path, {
        ...(name === undefined ? {} : { name }),
        ...(from === undefined ? {} : { from }),
        signal: signal === undefined ? guest.signal : AbortSignal.any([signal, guest.signal]),
        onRoot: (cid) => {
          root = parseCid(cid)
          guest.progress({ cid })
        },
        onProgress: (progress) => {
          guest.progress(toJobProgress(progress))
          onProgress?.(progress)
        },
      })
      guest.end()
      return pin
    } catch (error) {
      // The reason of who ended it, and not what became of it on the way.
      const coded = toPocketError(guest.signal.aborted ? guest.signal.reason : error)
      guest.end(coded)
      // As with a job that is cancelled: what came of it is not wanted. After the end of the node nobody has said so.
      if (coded.code === 'ERR_ABORTED' && root !== undefined) await this.#init.release(root).catch(() => undefined)
      throw coded
    }
  }

  async start({ cid, from = [], name, priority }: TransferRequest): Promise<Transfer> {
    const parsed = parsePath(cid)
    const path = ipfsPath(parsed.cid.toString(), parsed.names.join('/'))
    for (const addr of from) if (addr.startsWith('/')) parseMultiaddr(addr)
    const asked = this.#jobs.all().filter(({ record, guest }) => record.kind === 'fetch' && !guest)
    const same = asked.filter(({ record }) => record.path === path || record.cid === path)
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
      ...newRecord('fetch', crypto.randomUUID()),
      path,
      ...(parsed.names.length === 0 ? { cid: path } : {}),
      ...(name === undefined ? {} : { name }),
      from,
      ...(priority === undefined ? {} : { priority }),
    })
    // What became of it earlier is of no interest any more.
    for (const old of same) await this.#jobs.forget(old)
    return job.view()
  }

  list = async (): Promise<Transfer[]> => [...this.#sends.all(), ...this.#jobs.all().map((job) => job.view())]

  get = async (id: string): Promise<Transfer> =>
    this.#sends.all().find((send) => send.id === id) ?? this.#jobs.get(id).view()

  pause = (id: string): Promise<Transfer> =>
    this.#with(id, async (job) => {
      if (!job.guest && !job.over && job.record.state !== 'paused') await this.#jobs.halt(job, 'paused')
    })

  resume = (id: string): Promise<Transfer> =>
    this.#with(id, async (job) => {
      if (job.record.state === 'paused') await this.#jobs.queue(job)
    })

  cancel = (id: string): Promise<Transfer> =>
    this.#with(id, async (job) => {
      if (job.over && job.record.state !== 'failed') return
      await this.#jobs.halt(job, 'cancelled')
      // Best effort: what stays of it is garbage.
      const { kind, path } = job.record
      if (kind === 'fetch' && path !== undefined) await this.#init.release(parsePath(path).cid).catch(() => undefined)
    })

  retry = (id: string): Promise<Transfer> =>
    this.#with(id, async (job) => {
      const { state } = job.record
      const again =
        state === 'waiting' || ((state === 'failed' || state === 'cancelled') && job.record.kind === 'fetch')
      if (again) await this.#jobs.queue(job)
    })

  watch: TransfersApi['watch'] = (listener) => {
    for (const job of this.#jobs.all()) listener(job.view())
    for (const send of this.#sends.all()) listener(send)
    this.#listeners.add(listener)
    return { stop: () => void this.#listeners.delete(listener) }
  }

  async #with(id: string, work: (job: Job) => Promise<void>): Promise<Transfer> {
    const send = this.#sends.all().find((each) => each.id === id)
    if (send !== undefined) return send
    const job = this.#jobs.get(id)
    await work(job)
    return job.view()
  }

  async #fetch({ record, signal, progress }: JobRun): Promise<void> {
    const { id, path, from } = record
    if (path === undefined) throw new PocketError('ERR_INVALID_PATH')
    let name: string | undefined
    do {
      name = this.#jobs.get(id).record.name
      await this.#init.library.bring(path, {
        from,
        ...(name === undefined ? {} : { name }),
        signal,
        onRoot: (cid) => progress({ cid }),
        onProgress: (fetched) => progress(toJobProgress(fetched)),
      })
      // It may have got another name meanwhile.
    } while (name !== this.#jobs.get(id).record.name)
  }
}

function toJobProgress({ bytes, total, sources }: FetchProgress): JobProgress {
  return {
    done: bytes,
    ...(total === undefined ? {} : { total }),
    ...(sources === undefined ? {} : { sources }),
  }
}

function holdRoot(roots: HeldRoots, path: string): () => void {
  try {
    const letGo = roots.hold(parsePath(path).cid)
    return () => letGo()
  } catch {
    // A record of a version that read more: its run will say so.
    return () => undefined
  }
}
