/**
 * The catalogue of failures. A code is part of the public API: it never changes its meaning and crosses every port
 * unchanged. The sentence beside it is the default `message` for developers; what a person reads is in `src/app/strings`.
 */
export const ERRORS = {
  // What was asked for
  ERR_INVALID_ARGUMENT: 'An argument has the wrong shape',
  ERR_INVALID_CID: 'This is not a CID',
  ERR_INVALID_PATH: 'This is not an IPFS path',
  ERR_INVALID_LINK: 'This is not a share link',
  ERR_INVALID_MULTIADDR: 'This is not a multiaddr',
  ERR_INVALID_PEER_ID: 'This is not a peer id',
  ERR_INVALID_NAME: 'A file or folder name is not allowed',
  ERR_UNSUPPORTED_CODEC: 'The content uses a codec or hash that this node does not read',
  ERR_NOT_A_FILE: 'The path names a folder, not a file',
  ERR_NOT_A_DIRECTORY: 'The path names a file, not a folder',
  ERR_PATH_NOT_FOUND: 'The folder has no entry of this name',
  ERR_NO_TRANSFER: 'There is no transfer of this id',
  // Sources of content being added
  ERR_SOURCE_UNREADABLE: 'The file could not be read to its end',
  ERR_SOURCE_CHANGED: 'The file changed while it was being read',
  // Content and peers
  ERR_NOT_FOUND: 'No connected peer has this content',
  ERR_BLOCK_HASH_MISMATCH: 'A block does not match its hash',
  ERR_BLOCK_TOO_LARGE: 'A block is larger than 2 MiB',
  ERR_INVALID_BLOCK: 'A block could not be decoded',
  ERR_INVALID_CAR: 'This CAR cannot be read',
  ERR_DIAL_FAILED: 'The peer could not be reached',
  ERR_RELAY_UNREACHABLE: 'The relay could not be reached',
  ERR_CERTIFICATE_REFUSED: 'The certificate of the peer was refused',
  ERR_NO_WEBRTC: 'This browser or page offers no WebRTC',
  ERR_OFFLINE: 'There is no network',
  ERR_NETWORK_START: 'The network of the node did not start; it is tried again',
  ERR_DATA_CAP: 'The data cap of this day or month is reached',
  ERR_SAVING_DATA: 'It waits until the app is in front again, to save data',
  ERR_PORT_BUSY: 'The port is taken by another program',
  ERR_DATA_BUSY: 'Another companion is running on this data folder',
  ERR_NOT_PROVEN: 'Who asks the companion has not proven its peer id',
  ERR_INVALID_RECORD: 'This is no valid IPNS record of the name',
  ERR_RECORD_OUTDATED: 'A newer IPNS record of the name is known',
  ERR_NOT_ALLOWED: 'The receiver has not allowed this, or does not any more',
  // Storage
  ERR_STORAGE_UNAVAILABLE: 'This browser offers no storage here',
  ERR_STORAGE_LOST: 'The connection to the storage was lost',
  ERR_STORAGE_VERSION: 'The storage was written by another version of the app',
  ERR_PIN_DAMAGED: 'Something that is kept has damaged or missing blocks',
  ERR_QUOTA_EXCEEDED: 'There is no room left in the storage of this app',
  // Limits, life and transport of calls
  ERR_LIMIT_EXCEEDED: 'A limit was reached',
  ERR_TIMEOUT: 'It took too long',
  ERR_ABORTED: 'The caller cancelled it',
  ERR_CLOSED: 'The node or the connection to it is closed',
  ERR_HOST_LOST: 'The worker that ran the node is gone',
  ERR_HOST_VERSION: 'A newer version of this app runs the node: the page has to be reloaded',
  ERR_NO_HOST: 'No worker could be started for the node',
  ERR_PROTOCOL: 'A message on a port was not understood',
  ERR_UNKNOWN_METHOD: 'The node has no such method',
  ERR_INTERNAL: 'The node failed in a way it did not foresee',
} as const

export type ErrorCode = keyof typeof ERRORS

/** How an error looks on a port: structured-cloneable, nothing lost but the stack. */
export interface WireError {
  code: ErrorCode
  message: string
  /** Facts a screen or a log can use: a name, a limit, an address. */
  detail?: Record<string, string | number | boolean>
  cause?: WireError
}

export interface PocketErrorOptions {
  cause?: unknown
  detail?: Record<string, string | number | boolean>
}

/** The one error class of this project. Callers branch on `code`, never on `message`. */
export class PocketError extends Error {
  override readonly name = 'PocketError'
  readonly code: ErrorCode
  readonly detail?: Record<string, string | number | boolean>

  constructor(code: ErrorCode, message: string = ERRORS[code], options: PocketErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    if (options.detail !== undefined) this.detail = options.detail
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value)
}

export function isPocketError(value: unknown, code?: ErrorCode): value is PocketError {
  return value instanceof PocketError && (code === undefined || value.code === code)
}

/** Gives any thrown value a code: ours are kept, aborts and time-outs recognised, the rest get `fallback`. */
export function toPocketError(value: unknown, fallback: ErrorCode = 'ERR_INTERNAL'): PocketError {
  if (value instanceof PocketError) return value
  const name = nameOf(value)
  const message = value instanceof Error ? value.message : String(value)
  if (name === 'AbortError') return new PocketError('ERR_ABORTED', undefined, { cause: value })
  if (name === 'TimeoutError') return new PocketError('ERR_TIMEOUT', undefined, { cause: value })
  if (name === 'QuotaExceededError') return new PocketError('ERR_QUOTA_EXCEEDED', undefined, { cause: value })
  return new PocketError(fallback, message === '' ? undefined : message, { cause: value })
}

export function toWireError(value: unknown): WireError {
  return encode(value, 0)
}

/** Rebuilds an error that arrived on a port. Never throws: garbage becomes `ERR_PROTOCOL`. */
export function fromWireError(wire: unknown): PocketError {
  if (typeof wire !== 'object' || wire === null) return new PocketError('ERR_PROTOCOL')
  const { code, message, detail, cause } = wire as Partial<WireError>
  return new PocketError(isErrorCode(code) ? code : 'ERR_PROTOCOL', typeof message === 'string' ? message : undefined, {
    ...(detail === undefined ? {} : { detail }),
    ...(cause === undefined ? {} : { cause: fromWireError(cause) }),
  })
}

const MAX_CAUSES = 4

function encode(value: unknown, depth: number): WireError {
  const error = toPocketError(value)
  const wire: WireError = { code: error.code, message: error.message }
  if (error.detail !== undefined) wire.detail = error.detail
  if (error.cause !== undefined && depth < MAX_CAUSES) {
    wire.cause =
      error.cause instanceof PocketError
        ? encode(error.cause, depth + 1)
        : { code: 'ERR_INTERNAL', message: `${nameOf(error.cause)}: ${messageOf(error.cause)}` }
  }
  return wire
}

function nameOf(value: unknown): string {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string'
    ? value.name
    : 'Error'
}

function messageOf(value: unknown): string {
  return value instanceof Error ? value.message : String(value)
}
