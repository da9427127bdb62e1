import type { LsEntry } from '../../contract/node-api.ts'
import { CAPS } from '../content/caps.ts'
import { readBlob, readHead, readText } from '../content/read.ts'
import { sniff } from '../content/kinds.ts'
import { describeFailure, type Failure } from '../strings/index.ts'
import type { NodeState } from './node.svelte.ts'

export type Shown =
  | { kind: 'loading' }
  | { kind: 'image' | 'video' | 'audio' | 'pdf'; url: string }
  | { kind: 'text'; text: string; cut: boolean }
  | { kind: 'folder'; entries: LsEntry[] }
  | { kind: 'none' }
  | { kind: 'too-large'; limit: number }
  | { kind: 'failed'; failure: Failure }

export interface PreviewSource {
  path: string
  name: string
  size: number
  type: 'file' | 'directory'
}

/** Loads what a page shows of a file or folder, and lets go of it. */
export class Preview {
  #shown = $state.raw<Shown>({ kind: 'loading' })
  #blob: Blob | undefined
  readonly #node: NodeState
  readonly #controller = new AbortController()

  constructor(node: NodeState, source: PreviewSource) {
    this.#node = node
    this.#load(source).catch((error: unknown) => {
      if (!this.#controller.signal.aborted) this.#shown = { kind: 'failed', failure: describeFailure(error) }
    })
  }

  get shown(): Shown {
    return this.#shown
  }

  /** The file itself if it was loaded whole. */
  get blob(): Blob | undefined {
    return this.#blob
  }

  close(): void {
    this.#controller.abort()
    if ('url' in this.#shown) URL.revokeObjectURL(this.#shown.url)
  }

  async #load({ path, name, size, type }: PreviewSource): Promise<void> {
    const { signal } = this.#controller
    const node = await this.#node.ready
    if (type === 'directory') {
      const entries: LsEntry[] = []
      for await (const entry of node.ls(path, { signal })) entries.push(entry)
      this.#shown = { kind: 'folder', entries }
      return
    }
    const { kind } = sniff(await readHead(node, path, signal), name)
    switch (kind) {
      case 'text': {
        const text = await readText(node, path, CAPS.text, signal)
        this.#shown = { kind, text, cut: size > CAPS.text }
        return
      }
      case 'image':
      case 'video':
      case 'audio':
      case 'pdf': {
        if (size > CAPS[kind]) return void (this.#shown = { kind: 'too-large', limit: CAPS[kind] })
        const { blob } = await readBlob(node, path, name, signal)
        if (signal.aborted) return
        this.#blob = blob
        this.#shown = { kind, url: URL.createObjectURL(blob) }
        return
      }
      case 'archive':
      case 'folder':
      case 'other':
        this.#shown = { kind: 'none' }
    }
  }
}
