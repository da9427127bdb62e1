/** Where the person is. All of it is in the fragment, so that no server sees what is opened. */
export type Route =
  | { screen: 'home' | 'receive' | 'status' | 'settings' }
  | { screen: 'get'; link: string }
  | { screen: 'item' | 'share'; cid: string; path: string }
  | { screen: 'unknown' }

const TABS = ['receive', 'status', 'settings'] as const

export function parseRoute(hash: string): Route {
  const [target = '', ...rest] = hash.replace(/^#?\/?/, '').split('/')
  if (target === '') return { screen: 'home' }
  const [name = ''] = target.split('?')
  const tab = TABS.find((each) => each === name)
  if (tab !== undefined && rest.length === 0) return { screen: tab }
  const cid = rest[0]?.split('?')[0] ?? ''
  if (target === 'get' && cid !== '') return { screen: 'get', link: `#/get/${rest.join('/')}` }
  if ((target === 'item' || target === 'share') && cid !== '') {
    return { screen: target, cid, path: decodePath(rest.slice(1)) }
  }
  return { screen: 'unknown' }
}

/** @param path of `ipfsPath`, or a CID */
export function itemHref(path: string): string {
  return `#/item/${path}`
}

/** @param path of `ipfsPath`, or a CID: what lies in a folder is called by its name in it */
export function shareHref(path: string): string {
  return `#/share/${path}`
}

function decodePath(parts: string[]): string {
  try {
    return parts.map(decodeURIComponent).join('/')
  } catch {
    return parts.join('/')
  }
}

interface EntryState {
  key: string
  /** How many entries of this app lie below in the history. */
  depth: number
}

const SCROLL = 'pocket-ipfs:scroll:'
/** How long content may take to come in before a remembered place is given up, in ms. */
const RESTORE_MS = 1500

/**
 * Follows the fragment, and does for the history what Android people expect: from any tab, back leads Home; the place
 * on a page is kept for back and for reload.
 */
export class Router {
  #route = $state.raw<Route>(parseRoute(location.hash))
  #key = $state.raw(entry()?.key ?? '')
  #depth = entry()?.depth ?? 0

  constructor() {
    history.scrollRestoration = 'manual'
    if (entry() === undefined) this.#stamp(0)
    else this.#restore()
    addEventListener('hashchange', () => this.#follow())
    addEventListener('popstate', () => this.#follow())
    addEventListener('scrollend', () => this.#remember())
    addEventListener('pagehide', () => this.#remember())
  }

  get route(): Route {
    return this.#route
  }

  /** Changes with every step, also between two pages of one screen. */
  get key(): string {
    return this.#key
  }

  go(href: string): void {
    this.#remember()
    location.hash = href
  }

  replace(href: string): void {
    location.replace(href)
  }

  back(): void {
    if (this.#depth > 0) history.back()
    else this.replace('#/')
  }

  /** A tab of the bottom bar: Home is always below the others. */
  tab(href: string): void {
    const { screen } = this.#route
    const isTab = TABS.some((each) => each === screen)
    if (screen === 'home' || (!isTab && href !== '#/')) this.go(href)
    else if (href === '#/' && isTab && this.#depth > 0) history.back()
    else if (isTab) this.replace(href)
    else this.go(href)
  }

  #follow(): void {
    const state = entry()
    if (state?.key === this.#key && state !== undefined) return
    if (state === undefined) {
      this.#stamp(this.#depth + 1)
      scrollTo(0, 0)
    } else {
      this.#depth = state.depth
      this.#key = state.key
    }
    this.#route = parseRoute(location.hash)
    if (state !== undefined) this.#restore()
  }

  #stamp(depth: number): void {
    this.#depth = depth
    this.#key = crypto.randomUUID()
    history.replaceState({ key: this.#key, depth } satisfies EntryState, '')
  }

  #remember(): void {
    try {
      sessionStorage.setItem(SCROLL + this.#key, String(scrollY))
    } catch {
      // Without storage the place is lost, nothing else.
    }
  }

  #restore(): void {
    const top = Number(readPlace(SCROLL + this.#key))
    if (!(top > 0)) return void requestAnimationFrame(() => scrollTo(0, 0))
    const until = performance.now() + RESTORE_MS
    const attempt = (): void => {
      const room = document.documentElement.scrollHeight - innerHeight
      if (room >= top || performance.now() > until) scrollTo(0, Math.min(top, room))
      else requestAnimationFrame(attempt)
    }
    requestAnimationFrame(attempt)
  }
}

function readPlace(key: string): string | null {
  try {
    return sessionStorage.getItem(key)
  } catch {
    return null
  }
}

function entry(): EntryState | undefined {
  const state: unknown = history.state
  return typeof state === 'object' && state !== null && 'key' in state && 'depth' in state
    ? (state as EntryState)
    : undefined
}
