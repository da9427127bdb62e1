import type { Workbox } from 'workbox-window'

interface InstallPromptEvent extends Event {
  prompt(): Promise<{ outcome: 'accepted' | 'dismissed' }>
}

/** The person's 'Not now', kept on this phone. */
const DECLINED = 'pocket-ipfs:install-declined'

/** Installing the app and keeping it up to date. */
export class Shell {
  #waiting = $state(false)
  #offlineReady = $state(false)
  #prompt = $state.raw<InstallPromptEvent | undefined>()
  #dismissed = $state(false)
  #declined = $state(readDeclined())
  // iPads call themselves Macs, but have touch.
  readonly ios =
    /iPhone|iPad/.test(navigator.userAgent) || (navigator.userAgent.includes('Mac') && navigator.maxTouchPoints > 1)
  #workbox: Workbox | undefined

  constructor() {
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault()
      this.#prompt = event as InstallPromptEvent
    })
    addEventListener('appinstalled', () => (this.#prompt = undefined))
    if (import.meta.env.PROD && 'serviceWorker' in navigator) void this.#register()
  }

  /** A newer version is stored and waits for the person. */
  get updateWaiting(): boolean {
    return this.#waiting && !this.#dismissed
  }

  get offlineReady(): boolean {
    return this.#offlineReady
  }

  get canInstall(): boolean {
    return this.#prompt !== undefined
  }

  get installed(): boolean {
    return (
      matchMedia('(display-mode: standalone)').matches || (navigator as { standalone?: boolean }).standalone === true
    )
  }

  /** Whether Home may ask: installing is possible here, and nobody said no. */
  get offersInstall(): boolean {
    return !this.#declined && !this.installed && (this.canInstall || this.ios)
  }

  declineInstall(): void {
    this.#declined = true
    try {
      localStorage.setItem(DECLINED, 'yes')
    } catch {
      // It holds until the app closes.
    }
  }

  async install(): Promise<void> {
    const prompt = this.#prompt
    // A prompt can be used once.
    this.#prompt = undefined
    await prompt?.prompt()
  }

  update(): void {
    this.#workbox?.messageSkipWaiting()
  }

  later(): void {
    this.#dismissed = true
  }

  async #register(): Promise<void> {
    // The old version's files are gone with its worker: every page of it starts anew, so that none mixes two versions.
    const { controller } = navigator.serviceWorker
    if (controller !== null) {
      navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
    }
    try {
      // Nothing on the screen waits for it.
      const { Workbox } = await import('workbox-window')
      const workbox = new Workbox('/service-worker.js')
      this.#workbox = workbox
      workbox.addEventListener('waiting', () => (this.#waiting = true))
      const registration = await workbox.register()
      if (controller === null && registration !== undefined) reloadAfterUpdate(registration)
      await navigator.serviceWorker.ready
      this.#offlineReady = true
      document.documentElement.dataset.offline = 'ready'
    } catch {
      // Refused in some private modes: the app works without, only not offline.
    }
  }
}

/** A page that was loaded before there was a service worker is controlled by none, and hears of no change. */
function reloadAfterUpdate(registration: ServiceWorkerRegistration): void {
  registration.addEventListener('updatefound', () => {
    const { active, installing } = registration
    // The first one of all brings the files that this page has.
    if (active === null) return
    installing?.addEventListener('statechange', () => {
      if (installing.state === 'activated') location.reload()
    })
  })
}

function readDeclined(): boolean {
  try {
    return localStorage.getItem(DECLINED) !== null
  } catch {
    return false
  }
}
