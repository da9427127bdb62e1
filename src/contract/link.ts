import { PocketError, toPocketError } from '../shared/errors.ts'
import { LIMITS } from '../shared/limits.ts'
import { displayName } from '../shared/names.ts'
import type { OpenedLink } from './node-api.ts'

/**
 * Share links: `https://<app>/#/get/<cid>?name=…&size=…&via=<multiaddr>&via=…&key=…`. All of it is in the fragment, so
 * that no server sees what is shared. `/ipfs/<cid>/…` paths, `ipfs://<cid>/…` and bare CIDs open too.
 *
 * A link is checked for shape here, not for truth: whether the CID decodes is the node's business.
 */
export interface LinkParts {
  cid: string
  name?: string
  size?: number
  via: string[]
}

/** Formats a link that fits a QR code: hints that would make it too long are left out, then the name. */
export function formatLink(appUrl: string, parts: LinkParts): string {
  const base = `${appUrl.replace(/[#?].*$/, '').replace(/\/$/, '')}/#/get/${parts.cid}`
  const size = parts.size === undefined ? [] : [`size=${parts.size}`]
  const name = parts.name === undefined || parts.name === '' ? [] : [`name=${encode(parts.name)}`]
  const via = parts.via.slice(0, LIMITS.maxLinkHints).map((addr) => `via=${encode(addr)}`)
  const first = via.slice(0, 1)
  const fits = (query: string[]): boolean => join(base, query).length <= LIMITS.maxQrBytes
  // An address is worth more than a name, a name more than a second address.
  const query = fits([...name, ...size, ...first]) ? [...name, ...size] : size
  for (const hint of via) {
    if (fits([...query, hint])) query.push(hint)
  }
  return join(base, query)
}

/**
 * `cid/path` as every method takes it and addresses hold it: the names of `path`, which are as they are called,
 * percent-encoded (a `%`, `?` or `#` in one would mean something else).
 */
export function ipfsPath(cid: string, path: string): string {
  const names = path.split('/').filter((name) => name !== '')
  return [cid, ...names.map((name) => encodeURIComponent(name.toWellFormed()))].join('/')
}

/** @throws PocketError ERR_INVALID_LINK, with `detail.part` naming what is wrong. */
export function parseLink(input: string): OpenedLink {
  const text = input.trim()
  if (text === '') throw invalid('empty')
  if (text.length > LIMITS.maxLinkChars) throw invalid('length')
  const share = /#\/get\/([^?#]*)(?:\?([^#]*))?$/.exec(text)
  if (share !== null) return parseShare(share[1] ?? '', share[2] ?? '')
  const path = parseIpfsPath(text)
  return { cid: path.cid, path: path.path, via: [] }
}

/**
 * `<cid>`, `<cid>/a/b`, `/ipfs/<cid>/a/b`, `ipfs://<cid>/a/b` and gateway URLs (path and subdomain) that hold one.
 * @throws PocketError ERR_INVALID_LINK
 */
function parseIpfsPath(text: string): { cid: string; path: string } {
  const bare = /^(?:ipfs:\/\/|\/ipfs\/)?([A-Za-z0-9]+)((?:\/[^?#]*)?)(?:[?#].*)?$/.exec(text)
  const gateway = bare ?? /^https?:\/\/[^/?#]+\/ipfs\/([A-Za-z0-9]+)((?:\/[^?#]*)?)(?:[?#].*)?$/.exec(text)
  const found = gateway ?? /^https?:\/\/([a-z0-9]+)\.ipfs\.[^/?#]+((?:\/[^?#]*)?)(?:[?#].*)?$/.exec(text)
  if (found === null) throw invalid('form')
  return { cid: checkCid(found[1] ?? ''), path: decode((found[2] ?? '').replace(/^\/+|\/+$/g, ''), 'path') }
}

function parseShare(target: string, query: string): OpenedLink {
  const [cid = '', ...rest] = target.split('/')
  const link: OpenedLink = {
    cid: checkCid(cid),
    path: decode(rest.filter((part) => part !== '').join('/'), 'path'),
    via: [],
  }
  let badHint: PocketError | undefined
  for (const pair of query.split('&')) {
    const [key = '', raw = ''] = split(pair)
    const text = raw.replaceAll('+', '%20')
    switch (key) {
      // Hints for the screen until the first block tells: what cannot be true does not cost the file.
      case 'size':
        setSize(link, text)
        break
      case 'name':
        setName(link, text)
        break
      case 'via':
        try {
          if (link.via.length < LIMITS.maxLinkHints) link.via.push(checkHint(decode(text, key)))
        } catch (error) {
          badHint ??= toPocketError(error)
        }
        break
      case 'key':
        link.key = decode(text, key)
      // Unknown parameters are a later version's: ignored.
    }
  }
  // One good way to the sender is enough.
  if (badHint !== undefined && link.via.length === 0) throw badHint
  return link
}

function setName(link: OpenedLink, value: string): void {
  try {
    // A stranger's word: shown before anything has come.
    const name = displayName(decodeURIComponent(value), '')
    if (name !== '') link.name = name
  } catch {
    // Cut off in the middle of a character: the file's own page will find another.
  }
}

/** CIDv1 in base32 or base36, CIDv0 in base58: letters and digits only. */
function checkCid(cid: string): string {
  if (!/^[A-Za-z0-9]{8,}$/.test(cid) || cid.length > LIMITS.maxCidChars) throw invalid('cid')
  return cid
}

function checkHint(addr: string): string {
  if (!addr.startsWith('/') || addr.length > LIMITS.maxHintChars) throw invalid('via')
  return addr
}

function setSize(link: OpenedLink, value: string): void {
  const size = Number(value)
  if (/^\d+$/.test(value) && Number.isSafeInteger(size)) link.size = size
}

function split(pair: string): [string, string] {
  const at = pair.indexOf('=')
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw invalid(part, cause)
  }
}

/** As encodeURIComponent, but leaves what a query may hold unescaped (RFC 3986 §3.4): multiaddrs stay short and readable. */
function encode(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replaceAll('%2F', '/').replaceAll('%3A', ':')
}

function join(base: string, query: string[]): string {
  return query.length === 0 ? base : `${base}?${query.join('&')}`
}

function invalid(part: string, cause?: unknown): PocketError {
  return new PocketError('ERR_INVALID_LINK', `This is not a share link: ${part}`, { detail: { part }, cause })
}
