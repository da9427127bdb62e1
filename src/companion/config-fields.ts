import { isIP } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'

/** How one field of the configuration is read, from JSON and from the text of an environment variable. */
export interface Field<T> {
  readonly default: T
  /** Completes 'must be …'. */
  readonly must: string
  /** The value if it is acceptable, else `undefined`. */
  parse(value: unknown): T | undefined
  /** An environment variable's text as the JSON value it stands for. */
  fromText(text: string): unknown
}

/** `''` stands for 'none' where a field allows it. */
export function text(
  fallback: string,
  options: { mayBeEmpty?: boolean; pattern?: RegExp; must?: string } = {},
): Field<string> {
  const { mayBeEmpty = false, pattern, must = mayBeEmpty ? 'a text, or empty' : 'a text that is not empty' } = options
  return {
    default: fallback,
    must,
    fromText: (value) => value,
    parse(value) {
      if (typeof value !== 'string' || value.includes('\0')) return undefined
      if (value === '') return mayBeEmpty ? '' : undefined
      return pattern === undefined || pattern.test(value) ? value : undefined
    },
  }
}

export function integer(fallback: number, min: number, max: number): Field<number> {
  return {
    default: fallback,
    must: `a whole number from ${min} to ${max}`,
    fromText: (value) => (/^-?\d{1,16}$/.test(value) ? Number(value) : value),
    parse: (value) =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max ? value : undefined,
  }
}

export function flag(fallback: boolean): Field<boolean> {
  return {
    default: fallback,
    must: 'true or false',
    fromText: (value) => (value === 'true' ? true : value === 'false' ? false : value),
    parse: (value) => (typeof value === 'boolean' ? value : undefined),
  }
}

/** A list of addresses of this or another machine: `127.0.0.1`, `::1`. In the environment separated by commas. */
export function addressList(fallback: string[], options: { mayBeEmpty?: boolean } = {}): Field<string[]> {
  const { mayBeEmpty = false } = options
  return {
    default: fallback,
    must: `a list of IP addresses${mayBeEmpty ? '' : ' with at least one'}`,
    fromText: splitCommas,
    parse: (value) => parseList(value, mayBeEmpty, (item) => isIP(item) !== 0),
  }
}

/** A list of texts of one pattern, which may be empty. In the environment separated by commas. */
export function textList(fallback: string[], pattern: RegExp, must: string): Field<string[]> {
  return {
    default: fallback,
    must,
    fromText: splitCommas,
    parse: (value) => parseList(value, true, (item) => pattern.test(item)),
  }
}

/** A list of multiaddrs that end in `/ws`, without a peer id. In the environment separated by commas. */
export function webSocketAddressList(fallback: string[]): Field<string[]> {
  return {
    default: fallback,
    must: 'a list of multiaddrs that end in /ws, as /dns4/example.org/tcp/443/tls/ws',
    fromText: splitCommas,
    parse: (value) => parseList(value, true, isWebSocketAddress),
  }
}

function splitCommas(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function parseList(value: unknown, mayBeEmpty: boolean, accepts: (item: string) => boolean): string[] | undefined {
  if (!Array.isArray(value) || (value.length === 0 && !mayBeEmpty)) return undefined
  return value.every((item): item is string => typeof item === 'string' && accepts(item)) ? [...value] : undefined
}

function isWebSocketAddress(value: string): boolean {
  try {
    const names = multiaddr(value)
      .getComponents()
      .map((component) => component.name)
    return /^(ip4|ip6|dns|dns4|dns6),tcp,(tls,|tls,sni,)?ws$/.test(names.join(','))
  } catch {
    return false
  }
}
