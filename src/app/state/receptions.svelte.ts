import { formatLink } from '../../contract/link.ts'
import type { Transfer } from '../../contract/node-api.ts'
import type { NodeState } from './node.svelte.ts'
import { Receiving, type Phase } from './receiving.svelte.ts'

const UNDER_WAY: Phase[] = ['opening', 'arriving', 'waiting', 'paused']

/** What is being received: it goes on when its screen is left, and is found again when one comes back. */
export class Receptions {
  readonly #node: NodeState
  #all: Receiving[] = []

  constructor(node: NodeState) {
    this.#node = node
  }

  /** The one under way for this link, or a new one. */
  of(url: string): Receiving {
    this.#all = this.#all.filter(({ phase }) => UNDER_WAY.includes(phase))
    const known = this.#all.find((each) => each.url === url)
    if (known !== undefined) return known
    const fresh = new Receiving(this.#node, url)
    this.#all.push(fresh)
    return fresh
  }

  /** Where a transfer of the node is to be seen: its link, or one that finds it again. */
  href({ id, kind, cid, name, durable }: Transfer): string | undefined {
    const known = this.#all.find((each) => each.id === id)?.url
    if (known !== undefined || kind !== 'fetch' || cid === undefined || !durable) return known
    return formatLink('', { cid, name, via: [] }).slice('/'.length)
  }
}
