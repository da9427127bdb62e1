import type { AddEntry, AddSource, Pin } from '../../contract/node-api.ts'
import { entriesOf, type Collected } from '../content/collect.ts'
import { describeFailure, t } from '../strings/index.ts'
import { day } from '../strings/format.ts'
import type { NodeState } from './node.svelte.ts'
import type { Notices } from './notices.svelte.ts'
import { shareHref, type Router } from './router.svelte.ts'

export interface Job {
  name: string
  cancel: () => void
}

/** Puts what was picked, dropped, pasted or photographed into the node. */
export class Adding {
  #jobs = $state.raw<Job[]>([])
  readonly #node: NodeState
  readonly #notices: Notices
  readonly #router: Router

  constructor(node: NodeState, notices: Notices, router: Router) {
    this.#node = node
    this.#notices = notices
    this.#router = router
  }

  /** Those that this page started, by the name they have in the node's activities. */
  get jobs(): Job[] {
    return this.#jobs
  }

  /** Files picked together become one item with one link. */
  async files(files: Collected[]): Promise<Pin | undefined> {
    const [first] = files
    if (first === undefined) return undefined
    if (files.length === 1 && !first.path.includes('/')) return this.#add(first.file, first.file.name)
    const entries = entriesOf(files)
    const folder = commonFolder(entries)
    return this.#add(entries, folder ?? t.home.several(entries.length, day(Date.now())))
  }

  async #add(source: AddSource, name: string): Promise<Pin | undefined> {
    const controller = new AbortController()
    const job: Job = { name, cancel: () => controller.abort() }
    this.#jobs = [...this.#jobs, job]
    try {
      const node = await this.#node.ready
      const { cid } = await node.add(source, { name, signal: controller.signal })
      this.#notices.tell(t.home.added(name), { label: t.home.share, run: () => this.#router.go(shareHref(cid)) })
      return this.#node.pin(cid)
    } catch (error) {
      this.#notices.fail(describeFailure(error))
      return undefined
    } finally {
      this.#jobs = this.#jobs.filter((each) => each !== job)
    }
  }
}

/** The folder that all entries lie in, if there is one. */
function commonFolder(entries: AddEntry[]): string | undefined {
  const [top, rest] = entries[0]?.path.split('/', 2) ?? []
  if (top === undefined || rest === undefined) return undefined
  return entries.every(({ path }) => path.startsWith(`${top}/`)) ? top : undefined
}
