import type { FetchProgress, LsEntry, PocketNode } from '../../contract/node-api.ts'
import { LIMITS } from '../../shared/limits.ts'
import { CAPS } from '../content/caps.ts'
import { HEAD_BYTES, sniff } from '../content/kinds.ts'
import { readText } from '../content/read.ts'
import type { NodeState } from './node.svelte.ts'
import type { Shown } from './preview.svelte.ts'

/**
 * What can be shown of a file while its bytes arrive: pictures grow, sounds and videos play as far as they have come, a
 * text and the names in a folder are there at once. It looks again whenever twice as much has come, so that nothing is
 * decoded more than a dozen times. What cannot be shown yet is no failure: the whole file follows.
 */
export class ArrivingPreview {
  #shown = $state.raw<Shown>({ kind: 'loading' })
  #parts: Blob[] = []
  #read = 0
  /** Bytes that are worth the next look. */
  #next: number = LIMITS.chunkBytes
  #busy = false
  #urls: string[] = []
  readonly #controller = new AbortController()
  readonly #node: NodeState
  readonly #path: string
  readonly #name: string

  constructor(node: NodeState, path: string, name: string) {
    this.#node = node
    this.#path = path
    this.#name = name
  }

  get shown(): Shown {
    return this.#shown
  }

  grow({ bytes, total }: FetchProgress): void {
    if (this.#busy || total === undefined || this.#controller.signal.aborted) return
    // Windows of a large file arrive side by side: only the first part of what has come is sure to be without a gap.
    const sure = total > LIMITS.carWindowBytes ? bytes / LIMITS.carStreams : bytes
    const here = sure - (sure % LIMITS.chunkBytes)
    if (here < this.#next || bytes >= total) return
    this.#busy = true
    this.#look(here, total).then(
      () => (this.#busy = false),
      // Stays busy: a later look would fail as well.
      () => undefined,
    )
  }

  close(): void {
    this.#controller.abort()
    for (const url of this.#urls) URL.revokeObjectURL(url)
  }

  async #look(here: number, total: number): Promise<void> {
    const { signal } = this.#controller
    const node = await this.#node.ready
    if (this.#read === 0 && (await this.#list(node, signal))) return
    const length = here - this.#read
    const part = await new Response(node.cat(this.#path, { offset: this.#read, length, signal })).blob()
    this.#parts.push(part)
    this.#read += part.size
    this.#next = this.#read * 2
    const all = new Blob(this.#parts)
    const { kind, type } = sniff(new Uint8Array(await all.slice(0, HEAD_BYTES).arrayBuffer()), this.#name)
    if (signal.aborted) return
    if (kind === 'text') {
      const text = await readText(node, this.#path, CAPS.text, signal)
      this.#shown = { kind, text, cut: total > CAPS.text }
      this.#next = Infinity
    } else if ((kind === 'image' || kind === 'video' || kind === 'audio') && total <= CAPS[kind]) {
      const url = URL.createObjectURL(all.slice(0, all.size, type))
      // All stay until the end: an element may still read from the one before.
      this.#urls.push(url)
      this.#shown = { kind, url }
    } else {
      this.#next = Infinity
    }
  }

  /** Whether it is a folder; then its names are shown, and that is all. */
  async #list(node: PocketNode, signal: AbortSignal): Promise<boolean> {
    if ((await node.stat(this.#path, { signal })).type !== 'directory') return false
    const entries: LsEntry[] = []
    for await (const entry of node.ls(this.#path, { signal })) entries.push(entry)
    this.#shown = { kind: 'folder', entries }
    this.#next = Infinity
    return true
  }
}
