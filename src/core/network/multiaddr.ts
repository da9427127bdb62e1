import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { PocketError } from '../../shared/errors.ts'

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
