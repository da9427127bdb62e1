import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { isCompressible } from './content-type.ts'
import type { SiteFile } from './site.ts'

export type Encoding = 'br' | 'gzip'

const toBrotli = promisify(brotliCompress)
const toGzip = promisify(gzip)

/** Below it, headers weigh more than what is saved. */
const MIN_BYTES = 1024
/** Quality 9 is within 3 % of 11 and ten times faster: it is done while the first phone waits. */
const BROTLI_QUALITY = 9

/** What the client prefers among what we have; `undefined` for the file as it is. */
export function chooseEncoding(file: SiteFile, acceptEncoding: string | undefined): Encoding | undefined {
  if (file.compressed.size === 0 && (file.bytes.byteLength < MIN_BYTES || !isCompressible(file.type))) return undefined
  const accepted = new Set(
    (acceptEncoding ?? '')
      .split(',')
      .map((item) => item.trim().toLowerCase().split(';'))
      .filter(([, weight]) => !/^\s*q=0(\.0*)?$/.test(weight ?? ''))
      .map(([name]) => name?.trim()),
  )
  if (accepted.has('br')) return 'br'
  return accepted.has('gzip') ? 'gzip' : undefined
}

/** Compresses once; `undefined` where it does not help. */
export function compressed(file: SiteFile, encoding: Encoding): Promise<Uint8Array | undefined> {
  const known = file.compressed.get(encoding)
  if (known !== undefined) return known
  const made = make(file, encoding)
  file.compressed.set(encoding, made)
  made.catch(() => file.compressed.delete(encoding))
  return made
}

async function make(file: SiteFile, encoding: Encoding): Promise<Uint8Array | undefined> {
  const { bytes } = file
  const result =
    encoding === 'br'
      ? await toBrotli(bytes, {
          params: {
            [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
            [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength,
          },
        })
      : await toGzip(bytes, { level: 9 })
  return result.byteLength < bytes.byteLength ? result : undefined
}
