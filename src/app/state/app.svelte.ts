import { createContext } from 'svelte'
import { Adding } from './adding.svelte.ts'
import { Shell } from './app-shell.svelte.ts'
import { NodeState } from './node.svelte.ts'
import { Notices } from './notices.svelte.ts'
import { Receptions } from './receptions.svelte.ts'
import { Removing } from './removing.svelte.ts'
import { Router } from './router.svelte.ts'
import { ThemeChoice } from './theme.svelte.ts'
import { Thumbnails } from './thumbnails.svelte.ts'

/** The state of the app in one place; screens take what they need by `getApp()`. */
export interface App {
  node: NodeState
  router: Router
  notices: Notices
  theme: ThemeChoice
  thumbnails: Thumbnails
  adding: Adding
  receptions: Receptions
  removing: Removing
  shell: Shell
}

export const [getApp, setApp] = createContext<App>()

export function createApp(): App {
  const router = new Router()
  const node = new NodeState()
  const notices = new Notices()
  const removing = new Removing(node, notices)
  return {
    node,
    router,
    notices,
    theme: new ThemeChoice(),
    thumbnails: new Thumbnails(node),
    adding: new Adding({ node, notices, router, removing }),
    receptions: new Receptions(node),
    removing,
    shell: new Shell(),
  }
}
