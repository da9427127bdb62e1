import { chooseEncoding, compressed } from './compress.ts'
import { parseRange } from './range.ts'
import { textReply } from './reply.ts'
import type { Handler, Reply, WebRequest } from './reply.ts'
import type { Site, SiteFile } from './site.ts'

/** Names with a hash of their content, as Vite writes them: another content has another name, so they never expire. */
const HASHED = /^\/assets\/.+-[\w-]{8}\.\w+$/

/**
 * The rest keeps its name over versions (index.html, service-worker.js, the manifest, embed.js, the node's worker, icons)
 * and is asked for again each time, which costs a 304: an old one beside new assets is a broken app.
 */
const CACHE = { forever: 'public, max-age=31536000, immutable', ask: 'no-cache' } as const

/** The app's files, and its first page for every address that a person may have opened. */
export function siteHandler(site: () => Site): Handler {
  return {
    canHandle: () => true,
    async handle(request) {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        return textReply(405, 'This address can only be read.', { allow: 'GET, HEAD' })
      }
      const file = find(site(), request)
      return file === undefined ? textReply(404, 'There is nothing at this address.') : await send(file, request)
    },
  }
}

function find(site: Site, request: WebRequest): SiteFile | undefined {
  const exact = site.get(request.path) ?? site.get(`${request.path.replace(/\/$/, '')}/index.html`)
  if (exact !== undefined) return exact
  // Only a navigation gets the page: a script that is missing must fail as a script, not parse as HTML.
  return /\btext\/html\b/.test(request.headers.accept ?? '') ? site.get('/index.html') : undefined
}

async function send(file: SiteFile, request: WebRequest): Promise<Reply> {
  const { headers } = request
  const ranged = headers.range !== undefined
  const encoding = ranged ? undefined : chooseEncoding(file, headers['accept-encoding'])
  const small = encoding === undefined ? undefined : await compressed(file, encoding)
  const etag = `"${file.hash}${small === undefined ? '' : `-${encoding}`}"`
  const common = {
    etag,
    'cache-control': HASHED.test(file.path) ? CACHE.forever : CACHE.ask,
    vary: 'accept-encoding',
  }
  if (matches(headers['if-none-match'], etag)) return { status: 304, headers: common }

  const described = { ...common, 'content-type': file.type, 'accept-ranges': 'bytes' }
  if (small !== undefined)
    return { status: 200, headers: { ...described, 'content-encoding': encoding ?? '' }, body: small }
  const whole: Reply = { status: 200, headers: described, body: file.bytes }
  const condition = headers['if-range']
  if (!ranged || (condition !== undefined && condition !== etag)) return whole

  const size = file.bytes.byteLength
  const range = parseRange(headers.range, size)
  if (range === undefined) return whole
  if (range === 'unsatisfiable') {
    return textReply(416, `The file has ${size} bytes.`, { 'content-range': `bytes */${size}` })
  }
  return {
    status: 206,
    headers: { ...described, 'content-range': `bytes ${range.start}-${range.end}/${size}` },
    body: file.bytes.subarray(range.start, range.end + 1),
  }
}

/** Weak comparison, as RFC 9110, 13.1.2 asks for; proxies that compress mark our tags weak. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}
