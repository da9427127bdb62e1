import { SvelteMap } from 'svelte/reactivity'
import type { PocketNode } from '../../contract/node-api.ts'
import { CAPS } from '../content/caps.ts'
import { kindOf } from '../content/kinds.ts'
import { readBlob } from '../content/read.ts'
import { drawThumbnail } from '../content/thumbnail.ts'
import type { NodeState } from './node.svelte.ts'

/** As a pin and an entry of a folder have it. */
export interface Drawable {
  cid: string
  name: string
  size: number
  type: 'file' | 'directory'
}

/** Pictures for grid and lists, drawn one after the other as they come into view. */
export class Thumbnails {
  /** `null`: there is none to be had. */
  readonly #urls = new SvelteMap<string, string | null>()
  /** The first pictures in a folder. */
  readonly #inside = new SvelteMap<string, Drawable[]>()
  readonly #node: NodeState
  #queue: Drawable[] = []
  #working = false

  constructor(node: NodeState) {
    this.#node = node
  }

  url(cid: string): string | null | undefined {
    return this.#urls.get(cid)
  }

  /** Of the pictures in a folder, at most `CAPS.collage`. */
  collage(cid: string): string[] {
    return (this.#inside.get(cid) ?? []).flatMap((each) => this.#urls.get(each.cid) ?? [])
  }

  /** Call it again whenever it comes into view: what had to make room for others is drawn anew. */
  want(item: Drawable): void {
    if (this.#isDone(item) || this.#queue.some(({ cid }) => cid === item.cid)) return
    this.#queue.push(item)
    void this.#work()
  }

  #isDone({ cid, name, size, type }: Drawable): boolean {
    if (type === 'file') return this.#urls.has(cid) || !isPicture(name, size)
    return this.#inside.get(cid)?.every((each) => this.#urls.has(each.cid)) ?? false
  }

  async #work(): Promise<void> {
    if (this.#working) return
    this.#working = true
    // The last one asked for is the one in view.
    for (let item = this.#queue.pop(); item !== undefined; item = this.#queue.pop()) {
      if (item.type === 'file') await this.#draw(item)
      else await this.#drawInside(item)
    }
    this.#working = false
  }

  async #drawInside({ cid }: Drawable): Promise<void> {
    const inside = this.#inside.get(cid) ?? (await firstPictures(this.#node.ready, cid).catch(() => []))
    for (const each of inside) if (!this.#urls.has(each.cid)) await this.#draw(each)
    // At once: a tile that changes four times is a flicker.
    this.#inside.set(cid, inside)
  }

  async #draw({ cid, name }: Drawable): Promise<void> {
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

function isPicture(name: string, size: number): boolean {
  const kind = kindOf(name)
  return size <= (kind === 'image' ? CAPS.thumbnail : kind === 'video' ? CAPS.thumbnailVideo : -1)
}

async function firstPictures(ready: Promise<PocketNode>, folder: string): Promise<Drawable[]> {
  const node = await ready
  const found: Drawable[] = []
  let looked = 0
  for await (const entry of node.ls(folder, { signal: AbortSignal.timeout(30_000) })) {
    const { cid, name, size, type } = entry
    if (type === 'file' && isPicture(name, size) && !found.some((each) => each.cid === cid)) found.push(entry)
    looked += 1
    if (found.length === CAPS.collage || looked === CAPS.entries) break
  }
  return found
}
