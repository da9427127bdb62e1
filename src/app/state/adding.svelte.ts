import type { AddEntry, AddSource } from '../../contract/node-api.ts'
import { isPocketError } from '../../shared/errors.ts'
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

/** Puts what was picked, dropped, pasted or photographed into the node. */
export class Adding {
  readonly #app: Needs

  constructor(app: Needs) {
    this.#app = app
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
    const transfer = crypto.randomUUID()
    try {
      const { cid } = await (await node.ready).add(source, { name, transfer })
      removing.keep(cid)
      notices.tell(t.home.added(displayName(name, t.item.untitled)), {
        label: t.item.share,
        run: () => router.go(shareHref(cid)),
      })
    } catch (error) {
      if (!(await this.#goesOn(error, transfer))) notices.fail(describeFailure(error))
    }
  }

  /** What the node had taken in goes on in the next one when it is lost. */
  async #goesOn(error: unknown, transfer: string): Promise<boolean> {
    if (!isPocketError(error, 'ERR_HOST_LOST')) return false
    try {
      await (await this.#app.node.ready).transfers.get(transfer)
      return true
    } catch {
      return false
    }
  }
}

/** The folder that all entries lie in, if there is one. */
function commonFolder(entries: AddEntry[]): string | undefined {
  const [top, rest] = entries[0]?.path.split('/', 2) ?? []
  if (top === undefined || rest === undefined) return undefined
  return entries.every(({ path }) => path.startsWith(`${top}/`)) ? top : undefined
}
