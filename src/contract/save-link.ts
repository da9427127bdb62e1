import { PocketError } from '../shared/errors.ts'
import { LIMITS } from '../shared/limits.ts'

/**
 * How a page hands a file to the browser's downloads: it offers the service worker a port on which it serves
 * `SaveMethods`, then opens `savePath(id, name)` in a frame, and the worker answers with what it reads from the port.
 */
export interface SaveOffer {
  type: 'save'
  id: string
  name: string
  /** Bytes: they must come to exactly so many. */
  size: number
}

export interface SaveMethods {
  read: { kind: 'bytes'; params: undefined }
}

/** A page whose download is under way sends it: a service worker that hears nothing is ended after 30 s. */
export const SAVE_ALIVE = { type: 'save-alive' } as const

const PREFIX = '/save/'

/** The name at the end is what a browser takes that knows no `filename*`. */
export function savePath(id: string, name: string): string {
  return `${PREFIX}${id}/${encodeURIComponent(name)}`
}

/** The id in a path of `savePath`. */
export function saveId(pathname: string): string | undefined {
  return pathname.startsWith(PREFIX) ? pathname.slice(PREFIX.length).split('/')[0] : undefined
}

/** @throws PocketError ERR_PROTOCOL */
export function parseSaveOffer(data: unknown): SaveOffer {
  const { type, id, name, size } = Object(data) as Record<string, unknown>
  const text = (value: unknown): value is string =>
    typeof value === 'string' && value !== '' && value.length <= LIMITS.maxLinkChars
  if (type !== 'save' || !text(id) || !text(name) || !Number.isSafeInteger(size) || (size as number) < 0) {
    throw new PocketError('ERR_PROTOCOL', 'An offer to save has the wrong shape')
  }
  return { type, id, name, size: size as number }
}
