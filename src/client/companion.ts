import { COMPANION_PATH, parseCompanionInfo } from '../contract/companion-api.ts'

/** An answer later than this, in ms, is none. */
const COMPANION_MS = 3_000

/** Addresses of the always-on peer of this page's origin; none where there is no such peer, or no network. */
export async function learnCompanionRelays(signal: AbortSignal): Promise<string[]> {
  try {
    const response = await fetch(new URL(COMPANION_PATH, globalThis.origin), {
      signal: AbortSignal.any([signal, AbortSignal.timeout(COMPANION_MS)]),
      credentials: 'omit',
    })
    if (!response.ok) return []
    return parseCompanionInfo(await response.json()).multiaddrs
  } catch {
    // A static host, another server's page in its place, no network: the app works without.
    return []
  }
}
