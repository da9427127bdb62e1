import { SvelteMap } from 'svelte/reactivity'
import type { Pin } from '../../contract/node-api.ts'
import { CAPS } from '../content/caps.ts'
import { kindOf } from '../content/kinds.ts'
import { readBlob } from '../content/read.ts'
import { drawThumbnail } from '../content/thumbnail.ts'
import type { NodeState } from './node.svelte.ts'

/** Pictures for the grid, drawn one after the other as they come into view. `null`: there is none to be had. */
export class Thumbnails {
  readonly #urls = new SvelteMap<string, string | null>()
  readonly #node: NodeState
  #queue: Pin[] = []
  #working = false

  constructor(node: NodeState) {
    this.#node = node
  }

  url(cid: string): string | null | undefined {
    return this.#urls.get(cid)
  }

  want(pin: Pin): void {
    if (this.#urls.has(pin.cid) || this.#queue.some(({ cid }) => cid === pin.cid)) return
    const kind = kindOf(pin.name)
    const cap = kind === 'image' ? CAPS.thumbnail : kind === 'video' ? CAPS.thumbnailVideo : 0
    if (pin.type !== 'file' || pin.size > cap) return
    this.#queue.push(pin)
    void this.#work()
  }

  async #work(): Promise<void> {
    if (this.#working) return
    this.#working = true
    // The last one asked for is the one in view.
    for (let pin = this.#queue.pop(); pin !== undefined; pin = this.#queue.pop()) await this.#draw(pin)
    this.#working = false
  }

  async #draw({ cid, name }: Pin): Promise<void> {
    try {
      const node = await this.#node.ready
      const { blob, kind } = await readBlob(node, cid, name, AbortSignal.timeout(30_000))
      if (kind !== 'image' && kind !== 'video') return void this.#urls.set(cid, null)
      this.#keep(cid, URL.createObjectURL(await drawThumbnail(blob, kind)))
    } catch {
      // The icon of its kind stays; what is wrong with the file is said on its page.
      this.#urls.set(cid, null)
    }
  }

  #keep(cid: string, url: string): void {
    this.#urls.set(cid, url)
    if (this.#urls.size <= CAPS.thumbnails) return
    const [oldest] = this.#urls
    if (oldest === undefined) return
    this.#urls.delete(oldest[0])
    if (oldest[1] !== null) URL.revokeObjectURL(oldest[1])
  }
}
