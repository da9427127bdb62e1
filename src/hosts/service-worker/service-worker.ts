import { cleanupOutdatedCaches, matchPrecache, precache, type PrecacheEntry } from 'workbox-precaching'
import { parseSaveOffer } from '../../contract/save-link.ts'
import { dispatch } from './dispatch.ts'
import { appShell } from './handlers/app-shell.ts'
import { precached } from './handlers/precached.ts'
import { createSaver } from './handlers/saved.ts'

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: (PrecacheEntry | string)[] }

/**
 * Keeps the app openable without a network. A new version waits until a page asks for it, and takes all pages at once:
 * each reloads, so that none mixes files of two versions. For the same reason it does not claim pages that were loaded
 * without it.
 */
precache(self.__WB_MANIFEST)
cleanupOutdatedCaches()

/** The first that can, does; what none wants goes to the network. A gateway's place is before the shell. */
const saver = createSaver()
const handlers = [saver, precached(matchPrecache), appShell(matchPrecache)]

self.addEventListener('fetch', (event) => dispatch(handlers, event))

self.addEventListener('message', (event) => {
  const { type } = Object(event.data) as { type?: unknown }
  const [port] = event.ports
  if (type === 'SKIP_WAITING') event.waitUntil(self.skipWaiting())
  else if (type === 'save' && port !== undefined) saver.offer(parseSaveOffer(event.data), port)
})
