import type { FetchPort } from '../../core/ports.ts'

/**
 * The browser's fetch as gateways are asked. `no-store`: blocks are kept in the block store, once. No redirects are followed: one
 * could lead into the local network, and a path gateway that redirects to a page is not a trustless one.
 */
export const webFetch: FetchPort = (url, { headers, signal }) =>
  fetch(url, {
    headers,
    signal,
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'manual',
    referrerPolicy: 'no-referrer',
  })
