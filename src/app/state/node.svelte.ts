import { connect } from '../../client/index.ts'
import type { NodeEvent, NodeStatus, PeerConnection, Pin, PocketNode, Transfer } from '../../contract/node-api.ts'
import { describeFailure, type Failure } from '../strings/index.ts'
import { goesOut, isShown } from './under-way.ts'

/** What the node says of itself, for every screen. Components read; only this class talks to `watch`. */
export class NodeState {
  #node: Promise<PocketNode>
  #phase = $state<'starting' | 'ready' | 'failed' | 'lost'>('starting')
  #failure = $state.raw<Failure | undefined>()
  #status = $state.raw<NodeStatus | undefined>()
  #peers = $state.raw<PeerConnection[]>([])
  #pins = $state.raw<Pin[] | undefined>()
  #hidden = $state.raw<string[]>([])
  #transfers = $state.raw<Transfer[]>([])
  #online = $state(navigator.onLine)

  constructor() {
    this.#node = this.#start()
    addEventListener('online', () => (this.#online = true))
    addEventListener('offline', () => (this.#online = false))
  }

  /** The node, once it has started; rejects when it could not. */
  get ready(): Promise<PocketNode> {
    return this.#node
  }

  get phase(): 'starting' | 'ready' | 'failed' | 'lost' {
    return this.#phase
  }

  get failure(): Failure | undefined {
    return this.#failure
  }

  get status(): NodeStatus | undefined {
    return this.#status
  }

  get peers(): PeerConnection[] {
    return this.#peers
  }

  /** Newest first; undefined until the node has read them. */
  get pins(): Pin[] | undefined {
    return this.#pins?.filter(({ cid }) => !this.#hidden.includes(cid))
  }

  /** All that the node tells of, newest first. */
  get transfers(): Transfer[] {
    return this.#transfers
  }

  /** What a person waits for, and what went wrong. What is done shows in the library. */
  get underWay(): Transfer[] {
    return this.#transfers.filter(isShown)
  }

  /** Whether something under way is not over, and would go on. */
  get waits(): boolean {
    return this.underWay.some(({ state }) => state !== 'failed' && state !== 'paused')
  }

  /** Nothing is kept, and nothing is on its way. */
  get empty(): boolean {
    return this.pins?.length === 0 && !this.underWay.some(({ state }) => state !== 'failed')
  }

  get online(): boolean {
    return this.#online && (this.#status?.online ?? true)
  }

  /** Nothing under way, here or for a peer, that an interruption would hold up. */
  get idle(): boolean {
    return !this.#transfers.some(({ state }) => state === 'running' || state === 'queued')
  }

  /** Somebody is receiving it from this phone. */
  goesOut(cid: string): boolean {
    return goesOut(this.#transfers, cid)
  }

  pin(cid: string): Pin | undefined {
    return this.pins?.find((pin) => pin.cid === cid)
  }

  /** As `pin`, and what is out of sight but not removed yet. */
  known(cid: string): Pin | undefined {
    return this.#pins?.find((pin) => pin.cid === cid)
  }

  /** Takes a pin out of sight before it is removed; `show` brings it back to its place. */
  hide(cid: string): void {
    this.#hidden = [...this.#hidden, cid]
  }

  show(cid: string): void {
    this.#hidden = this.#hidden.filter((each) => each !== cid)
  }

  transfer(id: string | undefined): Transfer | undefined {
    return this.#transfers.find((transfer) => transfer.id === id)
  }

  /** Gives up a transfer, or takes one that failed off the list. */
  async cancel(id: string): Promise<void> {
    const failed = this.transfer(id)?.state === 'failed'
    if (failed) this.#transfers = this.#transfers.filter((transfer) => transfer.id !== id)
    // One that failed with its caller is not known any more.
    await (await this.#node).transfers.cancel(id).catch(() => undefined)
  }

  async pause(id: string): Promise<void> {
    await (await this.#node).transfers.pause(id)
  }

  async resume(id: string): Promise<void> {
    await (await this.#node).transfers.resume(id)
  }

  /** Tries one again at once. */
  async again(id: string): Promise<void> {
    await (await this.#node).transfers.retry(id)
  }

  retry(): void {
    this.#phase = 'starting'
    this.#failure = undefined
    this.#node = this.#start()
  }

  async #connect(): Promise<PocketNode> {
    const node = await connect()
    node.watch((event) => this.#receive(node, event))
    node.transfers.watch((transfer) => this.#change(transfer))
    return node
  }

  #start(): Promise<PocketNode> {
    const node = this.#connect()
    node.then(
      () => (this.#phase = 'ready'),
      (error: unknown) => {
        this.#phase = 'failed'
        this.#failure = describeFailure(error)
      },
    )
    return node
  }

  #receive(node: PocketNode, event: NodeEvent): void {
    switch (event.type) {
      case 'status':
        this.#status = event.status
        break
      case 'peers':
        this.#peers = event.peers
        break
      case 'pins':
        this.#pins = event.pins.toSorted((a, b) => b.addedAt - a.addedAt)
        this.#hidden = this.#hidden.filter((cid) => event.pins.some((pin) => pin.cid === cid))
        break
      case 'host':
        this.#phase = event.host === 'lost' ? 'lost' : 'ready'
        if (event.host === 'ready') void this.#reconcile(node)
        break
    }
  }

  /** What the host that went had under way and the new one does not know is no more; what failed stays to be read. */
  async #reconcile(node: PocketNode): Promise<void> {
    const known = await node.transfers.list().catch(() => undefined)
    if (known === undefined) return
    const isKnown = (id: string): boolean => known.some((each) => each.id === id)
    this.#transfers = this.#transfers.filter(({ id, state }) => isKnown(id) || state === 'failed')
  }

  #change(transfer: Transfer): void {
    const others = this.#transfers.filter(({ id }) => id !== transfer.id)
    this.#transfers = [...others, transfer].toSorted((a, b) => b.createdAt - a.createdAt)
  }
}
