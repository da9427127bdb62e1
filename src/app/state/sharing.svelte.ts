import { ipfsPath } from '../../contract/link.ts'
import type { ShareResult } from '../../contract/node-api.ts'
import { describeFailure, type Failure } from '../strings/index.ts'
import type { NodeState } from './node.svelte.ts'

/** What is asked for: a file or folder, by the name that it has in the library or in its folder. */
export interface Shared {
  cid: string
  name: string
  size: number
  /** Bytes of it that are on this phone, or all of it. */
  here: number | 'all'
}

/** What is on this phone is found well within this, in ms; what is not is looked for on the network, to no use. */
const LOOK_MS = 5_000

/** One share page: what it is about, whether it is here, and its link, which changes with the addresses of this phone. */
export class Sharing {
  #found = $state.raw<Shared | undefined>()
  #result = $state.raw<ShareResult | undefined>()
  #failure = $state.raw<Failure | undefined>()
  #absent = $state(false)
  #links = 0
  readonly #node: NodeState
  readonly #cid: string
  /** Below it, or empty. */
  readonly #path: string

  constructor(node: NodeState, cid: string, path: string) {
    this.#node = node
    this.#cid = cid
    this.#path = path
  }

  get found(): Shared | undefined {
    return this.#found
  }

  /** Its link; undefined while it is being made, and for what cannot be shared. */
  get result(): ShareResult | undefined {
    return this.#result
  }

  get failure(): Failure | undefined {
    return this.#failure
  }

  /** Nothing, or not all of it, is on this phone. */
  get absent(): boolean {
    return this.#absent
  }

  /** Looks what it is. Call again when the library has changed. */
  async look(): Promise<void> {
    const pin = this.#node.pin(this.#cid)
    try {
      if (pin !== undefined && this.#path === '') {
        this.#set({ cid: pin.cid, name: pin.name, size: pin.size, here: 'all' })
        return
      }
      const node = await this.#node.ready
      const { cid, size, local } = await node.stat(ipfsPath(this.#cid, this.#path), {
        signal: AbortSignal.timeout(LOOK_MS),
      })
      const name = this.#path.split('/').at(-1) ?? ''
      const all = pin !== undefined || local.complete
      this.#set({ cid, name: this.#node.pin(cid)?.name ?? name, size, here: all ? 'all' : local.bytes })
    } catch (error) {
      const failure = describeFailure(error)
      // That nobody has it, or not at once, only says that it is not here.
      if (failure.code === 'ERR_TIMEOUT' || failure.code === 'ERR_NOT_FOUND') this.#absent = true
      else this.#failure = failure
    }
  }

  /** Makes the link anew. */
  async link(): Promise<void> {
    const found = this.#found
    if (found?.here !== 'all') return
    const { cid, name, size } = found
    const turn = (this.#links += 1)
    try {
      const node = await this.#node.ready
      const result = await node.share(cid, name === '' ? { size } : { name, size })
      if (turn !== this.#links) return
      this.#result = result
      this.#failure = undefined
    } catch (error) {
      this.#failure = describeFailure(error)
    }
  }

  #set(found: Shared): void {
    this.#found = found
    this.#absent = found.here !== 'all'
  }
}
