export type Theme = 'system' | 'light' | 'dark'

/** Read by public/theme.js before the first paint. */
const KEY = 'pocket-ipfs:theme'

export class ThemeChoice {
  #theme = $state<Theme>(read())

  get current(): Theme {
    return this.#theme
  }

  choose(theme: Theme): void {
    this.#theme = theme
    const { dataset } = document.documentElement
    if (theme === 'system') delete dataset.theme
    else dataset.theme = theme
    tintBars(theme)
    try {
      if (theme === 'system') localStorage.removeItem(KEY)
      else localStorage.setItem(KEY, theme)
    } catch {
      // It holds until the app closes.
    }
  }

  constructor() {
    tintBars(this.#theme)
  }
}

/** The system's bars follow the chosen theme: each meta keeps its own colour, the one that applies is chosen by media. */
function tintBars(theme: Theme): void {
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    const own = meta.dataset.scheme ?? (meta.media.includes('dark') ? 'dark' : 'light')
    meta.dataset.scheme = own
    meta.media = theme === 'system' ? `(prefers-color-scheme: ${own})` : theme === own ? 'all' : 'not all'
  }
}

function read(): Theme {
  try {
    const saved = localStorage.getItem(KEY)
    return saved === 'light' || saved === 'dark' ? saved : 'system'
  } catch {
    return 'system'
  }
}
