import { PocketError } from '../../../shared/errors.ts'
import { LOOPBACK_HOSTS } from '../../../shared/loopback.ts'
import type { FetchPort } from '../../ports.ts'
import type { Ask } from './http-source.ts'

/**
 * The address of a trustless gateway, without a slash at its end: `https:`, and `http:` of this machine only, by a name
 * that the page's Content Security Policy lets through. Any path before `/ipfs/` stays.
 * @throws PocketError ERR_INVALID_ARGUMENT
 */
export function parseGateway(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const local = url?.protocol === 'http:' && LOOPBACK_HOSTS.includes(url.hostname)
  if (url === undefined || (url.protocol !== 'https:' && !local) || url.username !== '' || url.password !== '') {
    throw new PocketError('ERR_INVALID_ARGUMENT', 'This is not the address of a gateway', {
      detail: { argument: 'from', url: text.slice(0, 200) },
    })
  }
  return `${url.origin}${url.pathname}`.replace(/\/(ipfs\/?)?$/, '')
}

export function askGateway(address: string, fetch: FetchPort): Ask {
  return async (path, accept, signal) => {
    const { status, headers, body } = await fetch(`${address}${path}`, { headers: { accept }, signal })
    return {
      status,
      header: (name) => headers.get(name) ?? undefined,
      body: body === null ? nothing() : chunksOf(body),
    }
  }
}

/** Not `for await` over the stream: Safari cannot. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader()
  let complete = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      yield value
    }
    complete = true
  } finally {
    if (!complete) reader.cancel().catch(() => undefined)
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {}
