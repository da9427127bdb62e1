import { HOST_PROTOCOL, hostLock, type HelloMessage } from '../../contract/host-link.ts'
import type { NodeService, NodeStatus } from '../../contract/node-api.ts'
import type { PageReport } from '../../contract/page-report.ts'
import type { PortLike } from '../../contract/port.ts'
import { toPocketError, toWireError } from '../../shared/errors.ts'
import { openLink, type Link } from './link.ts'
import { takeOwnership, type Ownership } from './ownership.ts'

export interface HostInit {
  kind: NodeStatus['host']
  /** Starts the node. Called again after it has failed, never while one runs. */
  startNode(config: { host: NodeStatus['host']; relays: string[] }): Promise<NodeService>
  /** What a page says of itself and of the phone, with each change; undefined when it is gone. `page` is only compared. */
  onReport(page: object, report: PageReport | undefined): void
  /** A page lends WebRTC; `page` says whether its browser has any. */
  onLend(port: PortLike): void
  onPage(page: { webrtc: boolean }): void
  /** The node runs here now. */
  onOwner(hostId: string): void
  /** Another host has taken the node over, and everything here has ended. */
  onLost(): void
}

/** Runs the one node of this origin for all pages that come. */
export interface Host {
  readonly id: string
  /** Whether the node is this host's. */
  owns(): boolean
  accept(port: PortLike): void
}

export function createHost(init: HostInit): Host {
  return new NodeHost(init)
}

/** What a node that was taken over may still flush and close in, in ms. */
const STOP_MS = 2_000

class NodeHost implements Host {
  readonly id = crypto.randomUUID()
  readonly #init: HostInit
  readonly #links = new Set<Link>()
  readonly #relays = new Set<string>()
  readonly #alive: Promise<void>
  #owner: Promise<Ownership | undefined> | undefined
  #node: Promise<NodeService> | undefined
  #owns = false

  constructor(init: HostInit) {
    this.#init = init
    this.#alive = new Promise((held, fail) => {
      // Held until this worker ends, however it ends.
      const forever = (): Promise<never> => {
        held()
        return new Promise(() => undefined)
      }
      navigator.locks.request(hostLock(this.id), forever).catch(fail)
    })
  }

  owns(): boolean {
    return this.#owns
  }

  accept(port: PortLike): void {
    const link = openLink(port, {
      onHello: (hello) => void this.#greet(link, hello),
      onRelays: (relays) => this.#offerRelays(relays),
      onReport: (report) => this.#init.onReport(link, report),
      onLend: (lent) => this.#init.onLend(lent),
      onClose: () => {
        this.#links.delete(link)
        this.#init.onReport(link, undefined)
      },
    })
    this.#links.add(link)
  }

  async #greet(link: Link, hello: HelloMessage): Promise<void> {
    if (hello.version !== HOST_PROTOCOL) {
      return link.refuse({ type: 'refused', version: HOST_PROTOCOL, hostId: this.id })
    }
    this.#init.onPage(hello.page)
    this.#offerRelays(hello.relays)
    try {
      await this.#alive
      link.greet(this.id)
      if (!(await this.#own(hello.replaces))) return link.refuse({ type: 'busy' })
      link.serve(await this.#start())
    } catch (error) {
      link.refuse({ type: 'failed', error: toWireError(toPocketError(error, 'ERR_NO_HOST')) })
    }
  }

  async #own(replaces: string | undefined): Promise<boolean> {
    // The promise is kept, not its value: a second hello during the first must not take the lock twice.
    const taking = (this.#owner ??= takeOwnership(replaces))
    try {
      const owner = await taking
      if (owner !== undefined && !this.#owns) {
        this.#owns = true
        owner.lost.addEventListener('abort', () => void this.#stop(owner.lost.reason))
        this.#init.onOwner(this.id)
      }
      return owner !== undefined
    } finally {
      if (!this.#owns && this.#owner === taking) this.#owner = undefined
    }
  }

  #start(): Promise<NodeService> {
    if (this.#node !== undefined) return this.#node
    const starting = this.#init.startNode({ host: this.#init.kind, relays: [...this.#relays] })
    this.#node = starting
    starting.catch(() => {
      // A later hello tries again.
      if (this.#node === starting) this.#node = undefined
    })
    return starting
  }

  #offerRelays(relays: string[]): void {
    const fresh = relays.filter((addr) => !this.#relays.has(addr))
    if (fresh.length === 0) return
    for (const addr of fresh) this.#relays.add(addr)
    void this.#node?.then(
      (node) => node.offerRelays(fresh),
      () => undefined,
    )
  }

  async #stop(reason: unknown): Promise<void> {
    for (const link of this.#links) link.end(reason)
    // It ends with this worker, whatever it complains about.
    const stopped = this.#node?.then((node) => node.stop()).catch(() => undefined)
    await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, STOP_MS))])
    this.#init.onLost()
  }
}
