import type {
  FetchProgress,
  OpenedLink,
  PocketNode,
  StatResult,
  Transfer,
  TransferRequest,
} from '../../contract/node-api.ts'
import { ipfsPath, parseLink } from '../../contract/link.ts'
import { nameByContent } from '../content/names.ts'
import { describeFailure, type Failure } from '../strings/index.ts'
import type { NodeState } from './node.svelte.ts'

/** Naming by content may wait for the network. */
const NAMING_MS = 60_000

export type Phase = 'opening' | 'arriving' | 'waiting' | 'paused' | 'complete' | 'stopped' | 'failed'

/**
 * One link being opened: what it says at once, then its bytes, then what arrived. The bytes are a transfer of the node,
 * which goes on without this page and is found again by the next.
 */
export class Receiving {
  #link = $state.raw<OpenedLink | undefined>()
  #id = $state.raw<string | undefined>()
  #failure = $state.raw<Failure | undefined>()
  #stat = $state.raw<StatResult | undefined>()
  #found = $state('')
  #naming: Promise<void> | undefined
  readonly #node: NodeState
  readonly url: string

  constructor(node: NodeState, url: string) {
    this.#node = node
    this.url = url
    try {
      // Before the node is there: the name shows at once.
      this.#link = parseLink(url)
    } catch (error) {
      this.#fail(error)
      return
    }
    void this.#start()
  }

  get link(): OpenedLink | undefined {
    return this.#link
  }

  /** Of the node's transfer, once it has begun. */
  get id(): string | undefined {
    return this.#id
  }

  get transfer(): Transfer | undefined {
    return this.#node.transfer(this.#id)
  }

  get phase(): Phase {
    if (this.#failure !== undefined) return 'failed'
    const { state = 'queued', done = 0 } = this.transfer ?? {}
    if (state === 'cancelled') return 'stopped'
    if (state === 'complete') return this.#stat === undefined ? 'arriving' : 'complete'
    if (state === 'queued' || state === 'running') return done > 0 ? 'arriving' : 'opening'
    return state
  }

  get progress(): FetchProgress {
    const { done = 0, total } = this.transfer ?? {}
    return { bytes: done, ...(total === undefined ? {} : { total }) }
  }

  get failure(): Failure | undefined {
    const { state, error } = this.transfer ?? {}
    return this.#failure ?? (state === 'failed' && error !== undefined ? describeFailure(error) : undefined)
  }

  /** Why the last try came to nothing, while it is tried again by itself. */
  get trouble(): Failure | undefined {
    const { state, error } = this.transfer ?? {}
    if (error === undefined || error.code === 'ERR_OFFLINE' || !this.#node.online) return undefined
    return state === 'waiting' || state === 'queued' || state === 'running' ? describeFailure(error) : undefined
  }

  get stat(): StatResult | undefined {
    return this.#stat
  }

  /** `cid/path`, as the node takes it. */
  get path(): string {
    const { cid = '', path = '' } = this.#link ?? {}
    return ipfsPath(cid, path)
  }

  get name(): string {
    return this.#link?.name || this.#link?.path.split('/').at(-1) || this.#found
  }

  pause = (): Promise<void> => this.#try(async (id) => this.#node.pause(id))

  resume = (): Promise<void> => this.#try(async (id) => this.#node.resume(id))

  stop = (): Promise<void> => this.#try(async (id) => this.#node.cancel(id))

  again = async (): Promise<void> => {
    this.#failure = undefined
    if (this.#id === undefined) await this.#start()
    else await this.#try(async (id) => this.#node.again(id))
  }

  /** The transfer is over: what came of it. */
  async finish(): Promise<void> {
    if (this.#stat !== undefined) return
    await this.#try(async () => {
      // It arrives under the name that it keeps.
      await this.#naming
      this.#stat = await (await this.#node.ready).stat(this.path)
    })
  }

  async #start(): Promise<void> {
    try {
      const node = await this.#node.ready
      const { via } = await node.open(this.url)
      const request = { cid: this.path, from: via }
      const { id } = await node.transfers.start(this.name === '' ? request : { ...request, name: this.name })
      this.#id = id
      if (this.name === '') this.#naming = this.#nameIt(node, request)
      await this.#naming
    } catch (error) {
      this.#fail(error)
    }
  }

  /** What it is shows in its first bytes. */
  async #nameIt(node: PocketNode, request: TransferRequest): Promise<void> {
    this.#found = await nameByContent(node, this.path, AbortSignal.timeout(NAMING_MS)).catch(() => '')
    if (this.#found !== '') await node.transfers.start({ ...request, name: this.#found })
  }

  async #try(work: (id: string) => Promise<void>): Promise<void> {
    try {
      if (this.#id !== undefined) await work(this.#id)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#failure = describeFailure(error)
  }
}
