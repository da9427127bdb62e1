import type { Handler } from '../handler.ts'

/** Answered by the companion and, later, by the gateway: never by the app's page. */
const NOT_THE_APP = [
  /^\/\.well-known\//,
  /^\/healthz$/,
  /^\/ip[fn]s\//,
  /^\/api\//,
  /^\/(pins|routing|push|metrics)(\/|$)/,
  /\.[a-z0-9]+$/i,
]

/** Every page of the app is one document; which screen it shows is in the fragment. */
export function appShell(match: (url: string) => Promise<Response | undefined>): Handler {
  return {
    canHandle: (request, url) =>
      request.mode === 'navigate' &&
      url.origin === self.location.origin &&
      !NOT_THE_APP.some((pattern) => pattern.test(url.pathname)),
    handle: async (request) => (await match('/index.html')) ?? fetch(request),
  }
}
