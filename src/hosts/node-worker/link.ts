import {
  clientLock,
  lendChannel,
  parsePageMessage,
  type HelloMessage,
  type HostReply,
} from '../../contract/host-link.ts'
import type { NodeService } from '../../contract/node-api.ts'
import type { PageReport } from '../../contract/page-report.ts'
import type { PortLike } from '../../contract/port.ts'
import { serveRpc } from '../../rpc/server.ts'
import { splitPort, type SplitPort } from '../../rpc/split-port.ts'
import type { RpcServer } from '../../rpc/types.ts'
import { nodeHandlers } from './handlers.ts'

export interface LinkInit {
  onHello(hello: HelloMessage): void
  onRelays(relays: string[]): void
  onReport(report: PageReport): void
  onLend(port: PortLike): void
  /** The page has said goodbye, or is gone. */
  onClose(): void
}

/** One page's link to the host. */
export interface Link {
  /** The page is heard: it may wait for this host's end from now on. */
  greet(hostId: string): void
  /** Answers the page's calls from now on. */
  serve(node: NodeService): void
  /** Says why there is no service here, and ends the link. */
  refuse(reply: Extract<HostReply, { type: 'refused' | 'busy' | 'failed' }>): void
  /** Ends the link; calls under way fail with `reason`. */
  end(reason: unknown): void
}

/** A page says hello as soon as it has a port: a link without one, in ms, is nobody's. */
const HELLO_MS = 10_000

export function openLink(port: PortLike, init: LinkInit): Link {
  return new PageLink(port, init)
}

class PageLink implements Link {
  readonly #port: SplitPort
  readonly #init: LinkInit
  readonly #ended = new AbortController()
  readonly #helloTimer: ReturnType<typeof setTimeout>
  #hostId = ''
  #greeted = false
  #server: RpcServer | undefined

  constructor(port: PortLike, init: LinkInit) {
    this.#init = init
    this.#helloTimer = setTimeout(() => this.end(undefined), HELLO_MS)
    this.#port = splitPort(port)
    this.#port.control.onmessage = ({ data }) => this.#receive(data)
  }

  greet(hostId: string): void {
    this.#hostId = hostId
    this.#reply({ type: 'starting', hostId })
  }

  serve(node: NodeService): void {
    if (this.#ended.signal.aborted) return
    this.#server = serveRpc(this.#port.rpc, nodeHandlers(node))
    void this.#server.closed.then(() => this.end(undefined))
    this.#reply({ type: 'welcome', hostId: this.#hostId })
  }

  refuse(reply: HostReply): void {
    this.#reply(reply)
    this.end(undefined)
  }

  end(reason: unknown): void {
    if (this.#ended.signal.aborted) return
    this.#ended.abort()
    clearTimeout(this.#helloTimer)
    this.#server?.close(reason)
    this.#port.control.close()
    this.#init.onClose()
  }

  #reply(reply: HostReply): void {
    if (!this.#ended.signal.aborted) this.#port.control.postMessage(reply)
  }

  #receive(data: unknown): void {
    let message
    try {
      message = parsePageMessage(data)
    } catch {
      // Nothing that a page of this origin sends, and nothing that an answer would help.
      return
    }
    switch (message.type) {
      case 'hello':
        if (this.#greeted) return
        this.#greeted = true
        clearTimeout(this.#helloTimer)
        this.#waitForPageEnd(message.clientId)
        return this.#init.onHello(message)
      case 'relays':
        return this.#init.onRelays(message.relays)
      case 'page':
        return this.#init.onReport(message.report)
      case 'lend':
        return this.#init.onLend('port' in message ? message.port : new BroadcastChannel(lendChannel(message.channel)))
    }
  }

  /** A page that crashes says nothing, and its port stays silent: its lock tells. */
  #waitForPageEnd(clientId: string): void {
    navigator.locks
      .request(clientLock(clientId), { mode: 'shared', signal: this.#ended.signal }, () => this.end(undefined))
      .catch(() => undefined)
  }
}
