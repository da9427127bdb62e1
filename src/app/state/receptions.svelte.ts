import type { NodeState } from './node.svelte.ts'
import { Receiving } from './receiving.svelte.ts'

/** What is being received: it goes on when its screen is left, and is found again when one comes back. */
export class Receptions {
  readonly #node: NodeState
  #all: Receiving[] = []

  constructor(node: NodeState) {
    this.#node = node
  }

  /** The one under way for this link, or a new one. */
  of(url: string): Receiving {
    this.#all = this.#all.filter(({ phase }) => phase === 'opening' || phase === 'arriving')
    const known = this.#all.find((each) => each.url === url)
    if (known !== undefined) return known
    const fresh = new Receiving(this.#node, url)
    this.#all.push(fresh)
    return fresh
  }

  /** The one of this page that an activity of the node tells of. */
  behind(activity: string): Receiving | undefined {
    return this.#all.find(({ id }) => id === activity)
  }
}
