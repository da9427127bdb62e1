import type { FetchProgress, OpenedLink, StatResult } from '../../contract/node-api.ts'
import { parseLink } from '../../contract/link.ts'
import { nameByContent } from '../content/names.ts'
import { describeFailure, type Failure } from '../strings/index.ts'
import type { NodeState } from './node.svelte.ts'

/** One link being opened: what it says at once, then its bytes, then what arrived. */
export class Receiving {
  #link = $state.raw<OpenedLink | undefined>()
  #phase = $state<'opening' | 'arriving' | 'complete' | 'stopped' | 'failed'>('opening')
  #progress = $state.raw<FetchProgress>({ bytes: 0 })
  #failure = $state.raw<Failure | undefined>()
  #stat = $state.raw<StatResult | undefined>()
  #found = $state('')
  #controller = new AbortController()
  readonly #node: NodeState
  readonly url: string
  /** Of the node's activity. */
  readonly id = crypto.randomUUID()

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
    void this.#run(this.#controller.signal)
  }

  get link(): OpenedLink | undefined {
    return this.#link
  }

  get phase(): 'opening' | 'arriving' | 'complete' | 'stopped' | 'failed' {
    return this.#phase
  }

  get progress(): FetchProgress {
    return this.#progress
  }

  get failure(): Failure | undefined {
    return this.#failure
  }

  get stat(): StatResult | undefined {
    return this.#stat
  }

  /** `cid/path`, as the node takes it. */
  get path(): string {
    const { cid = '', path = '' } = this.#link ?? {}
    return path === '' ? cid : `${cid}/${path}`
  }

  get name(): string {
    return this.#link?.name || this.#link?.path.split('/').at(-1) || this.#found
  }

  stop = (): void => {
    this.#controller.abort()
    this.#phase = 'stopped'
  }

  again(): void {
    if (this.#link === undefined) return
    this.#controller.abort()
    this.#controller = new AbortController()
    this.#failure = undefined
    this.#phase = 'opening'
    void this.#run(this.#controller.signal)
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      const node = await this.#node.ready
      if (signal.aborted) return
      await node.open(this.url, { signal })
      if (this.name === '') this.#found = await nameByContent(node, this.path, signal)
      await node.pin.add(this.path, {
        name: this.name,
        activity: this.id,
        signal,
        onProgress: (progress) => {
          this.#progress = progress
          if (this.#phase === 'opening') this.#phase = 'arriving'
        },
      })
      this.#stat = await node.stat(this.path, { signal })
      this.#phase = 'complete'
    } catch (error) {
      if (!signal.aborted) this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#failure = describeFailure(error)
    this.#phase = 'failed'
  }
}
