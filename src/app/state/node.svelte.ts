import { connect } from '../../client/index.ts'
import type { Activity, NodeEvent, NodeStatus, PeerConnection, Pin, PocketNode } from '../../contract/node-api.ts'
import { describeFailure, type Failure } from '../strings/index.ts'

/** What the node says of itself, for every screen. Components read; only this class talks to `watch`. */
export class NodeState {
  #node: Promise<PocketNode>
  #phase = $state<'starting' | 'ready' | 'failed' | 'lost'>('starting')
  #failure = $state.raw<Failure | undefined>()
  #status = $state.raw<NodeStatus | undefined>()
  #peers = $state.raw<PeerConnection[]>([])
  #pins = $state.raw<Pin[] | undefined>()
  #hidden = $state.raw<string[]>([])
  #activities = $state.raw<Activity[]>([])
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

  get activities(): Activity[] {
    return this.#activities
  }

  get online(): boolean {
    return this.#online && (this.#status?.online ?? true)
  }

  /** Nothing under way that an interruption could cost. */
  get idle(): boolean {
    return !this.#activities.some((activity) => activity.state === 'running')
  }

  pin(cid: string): Pin | undefined {
    return this.pins?.find((pin) => pin.cid === cid)
  }

  /** Takes a pin out of sight before it is removed; `show` brings it back to its place. */
  hide(cid: string): void {
    this.#hidden = [...this.#hidden, cid]
  }

  show(cid: string): void {
    this.#hidden = this.#hidden.filter((each) => each !== cid)
  }

  dismiss(id: string): void {
    this.#activities = this.#activities.filter((activity) => activity.id !== id)
  }

  retry(): void {
    this.#phase = 'starting'
    this.#failure = undefined
    this.#node = this.#start()
  }

  async #connect(): Promise<PocketNode> {
    const node = await connect()
    node.watch((event) => this.#receive(event))
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

  #receive(event: NodeEvent): void {
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
      case 'activity':
        this.#change(event.activity)
        break
      case 'host':
        this.#phase = event.host === 'lost' ? 'lost' : 'ready'
        // Those of the host that went: what goes on is told again by the new one.
        if (event.host === 'lost') this.#activities = this.#activities.filter(({ state }) => state !== 'running')
        break
    }
  }

  #change(activity: Activity): void {
    const others = this.#activities.filter(({ id }) => id !== activity.id)
    // What is done shows in the library; what was cancelled was cancelled by a person.
    const gone = activity.state === 'complete' || activity.state === 'cancelled'
    this.#activities = gone ? others : [...others, activity].toSorted((a, b) => b.startedAt - a.startedAt)
  }
}
