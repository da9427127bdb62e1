import type { AddEntry, AddSource } from '../../contract/node-api.ts'
import { displayName } from '../../shared/names.ts'
import { entriesOf, type Collected } from '../content/collect.ts'
import { describeFailure, t } from '../strings/index.ts'
import { day } from '../strings/format.ts'
import type { NodeState } from './node.svelte.ts'
import type { Notices } from './notices.svelte.ts'
import type { Removing } from './removing.svelte.ts'
import { shareHref, type Router } from './router.svelte.ts'

interface Needs {
  node: NodeState
  notices: Notices
  router: Router
  removing: Removing
}

export interface Job {
  /** Of the node's activity. */
  id: string
  cancel: () => void
}

/** Puts what was picked, dropped, pasted or photographed into the node. */
export class Adding {
  #jobs = $state.raw<Job[]>([])
  readonly #app: Needs

  constructor(app: Needs) {
    this.#app = app
  }

  /** Those that this page started. */
  get jobs(): Job[] {
    return this.#jobs
  }

  /** Files picked together become one item with one link. */
  async files(files: Collected[]): Promise<void> {
    const [first] = files
    if (first === undefined) return
    if (files.length === 1 && !first.path.includes('/')) return this.#add(first.file, first.file.name)
    const entries = entriesOf(files)
    const folder = commonFolder(entries)
    return this.#add(entries, folder ?? t.home.several(entries.length, day(Date.now())))
  }

  async #add(source: AddSource, name: string): Promise<void> {
    const { node, notices, router, removing } = this.#app
    const controller = new AbortController()
    const job: Job = { id: crypto.randomUUID(), cancel: () => controller.abort() }
    this.#jobs = [...this.#jobs, job]
    try {
      const { cid } = await (
        await node.ready
      ).add(source, {
        name,
        activity: job.id,
        signal: controller.signal,
      })
      removing.keep(cid)
      notices.tell(t.home.added(displayName(name, t.item.untitled)), {
        label: t.item.share,
        run: () => router.go(shareHref(cid)),
      })
    } catch (error) {
      notices.fail(describeFailure(error))
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
