import { getCacheKeyForURL } from 'workbox-precaching'
import type { Handler } from '../handler.ts'

/** Files of this version of the app: scripts, styles, icons, `/embed.js` and the node's worker `/node.js`. */
export function precached(match: (url: string) => Promise<Response | undefined>): Handler {
  return {
    canHandle: (request, url) =>
      request.method === 'GET' && url.origin === origin() && getCacheKeyForURL(plain(url)) !== undefined,
    // The browser may have thrown the cache away: then the network is the best there is.
    handle: async (request, url) => (await match(plain(url))) ?? fetch(request),
  }
}

/** A worker's URL may carry parameters for the worker; the file is the same. */
function plain(url: URL): string {
  return url.origin + url.pathname
}

function origin(): string {
  return self.location.origin
}
