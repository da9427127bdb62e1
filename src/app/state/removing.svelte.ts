import { describeFailure, t } from '../strings/index.ts'
import { leaveRemovals, takeRemovals, type LeftRemoval } from './left-removals.ts'
import type { NodeState } from './node.svelte.ts'
import type { Notices } from './notices.svelte.ts'

/**
 * Removes what a person removed once the offer to undo it is gone. Until then it is only out of sight, so that Undo
 * brings back the very same: name, date, origin and place.
 */
export class Removing {
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing draws it: what shows is NodeState's part
  readonly #held = new Set<string>()
  readonly #node: NodeState
  readonly #notices: Notices

  constructor(node: NodeState, notices: Notices) {
    this.#node = node
    this.#notices = notices
    // A hidden page may be killed at any time: what was removed must be by then.
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') for (const cid of this.#held) void this.#commit(cid)
    })
    addEventListener('pagehide', () =>
      leaveRemovals([...this.#held].map((cid) => ({ cid, addedAt: node.known(cid)?.addedAt ?? 0 }))),
    )
    addEventListener('pageshow', ({ persisted }) => persisted && void this.#finish(takeRemovals()))
    void this.#finish(takeRemovals())
  }

  remove(cid: string, name: string): void {
    this.#held.add(cid)
    this.#node.hide(cid)
    const undo = { label: t.undo, run: () => void this.keep(cid) }
    this.#notices.tell(t.item.removed(name), undo, () => void this.#commit(cid))
  }

  /** It stays: by Undo, or since it was added once more. Whether it was about to go. */
  keep(cid: string): boolean {
    const held = this.#held.delete(cid)
    if (held) this.#node.show(cid)
    return held
  }

  /** What a page that went had still to do. */
  async #finish(left: LeftRemoval[]): Promise<void> {
    if (left.length === 0) return
    for (const { cid } of left) this.#node.hide(cid)
    try {
      const { pin } = await this.#node.ready
      for await (const { cid, addedAt } of pin.ls()) {
        if (left.some((each) => each.cid === cid && each.addedAt === addedAt)) await pin.rm(cid)
      }
    } catch (error) {
      this.#notices.fail(describeFailure(error))
    }
    for (const { cid } of left) this.#node.show(cid)
  }

  async #commit(cid: string): Promise<void> {
    if (!this.#held.delete(cid)) return
    try {
      await (await this.#node.ready).pin.rm(cid)
    } catch (error) {
      this.#node.show(cid)
      this.#notices.fail(describeFailure(error))
    }
  }
}
