import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { PocketError, toPocketError } from '../../shared/errors.ts'

/** @throws PocketError ERR_INVALID_MULTIADDR */
export function parseMultiaddr(text: string): Multiaddr {
  try {
    const addr = multiaddr(text)
    if (addr.getComponents().length === 0) throw new Error('empty')
    return addr
  } catch (cause) {
    throw new PocketError('ERR_INVALID_MULTIADDR', undefined, { cause, detail: { addr: text.slice(0, 200) } })
  }
}

/**
 * Those of the hints of a link that are addresses: one good way is enough.
 * @throws PocketError ERR_INVALID_MULTIADDR when there are some and none is good
 */
export function parseHints(hints: string[]): Multiaddr[] {
  const good: Multiaddr[] = []
  let first: PocketError | undefined
  for (const hint of hints) {
    try {
      good.push(parseMultiaddr(hint))
    } catch (error) {
      first ??= toPocketError(error)
    }
  }
  if (good.length === 0 && first !== undefined) throw first
  return good
}

/** What a browser can dial by itself. */
const TRANSPORTS = ['ws', 'wss', 'webtransport', 'webrtc-direct']

/**
 * The address of a relay: one that a browser can dial.
 * @throws PocketError ERR_INVALID_MULTIADDR
 */
export function parseRelay(text: string): Multiaddr {
  const addr = parseMultiaddr(text)
  const names = addr.getComponents().map(({ name }) => name)
  if (!names.includes('p2p-circuit') && TRANSPORTS.some((name) => names.includes(name))) return addr
  throw new PocketError('ERR_INVALID_MULTIADDR', 'A browser cannot dial this as a relay', {
    detail: { addr: text.slice(0, 200) },
  })
}
