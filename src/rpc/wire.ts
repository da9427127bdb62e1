import { type WireError } from '../shared/errors.ts'
import { LIMITS } from '../shared/limits.ts'
import { isBytes } from '../shared/tags.ts'

/**
 * What travels on a port. A call is opened by the client under a fresh `id`; a byte or item stream answers as far as
 * the client has granted credit, a body travels as far as the server has. Every message of an unknown call is a late
 * one (the call has ended here already) and is dropped.
 */
export type ClientMessage =
  | {
      t: 'call'
      id: number
      kind: CallKind
      method: string
      params: unknown
      /** How many byte streams travel with the call. */
      bodies: number
      /** Credit to begin with: bytes or items of the answer that may be on their way unread. */
      credit: number
    }
  | { t: 'cancel'; id: number }
  /** More of the answer may come: bytes, items, or (of a unary call) progress reports. */
  | { t: 'credit'; id: number; credit: number }
  | { t: 'body'; id: number; body: number; bytes: Uint8Array }
  | { t: 'body-end'; id: number; body: number }
  | { t: 'body-error'; id: number; body: number; error: WireError }
  | { t: 'ping'; id: number }
  | { t: 'bye' }

export type ServerMessage =
  | { t: 'result'; id: number; value: unknown }
  /** Ends any call. */
  | { t: 'error'; id: number; error: WireError }
  | { t: 'progress'; id: number; value: unknown }
  | { t: 'bytes'; id: number; bytes: Uint8Array }
  | { t: 'items'; id: number; items: unknown[] }
  /** Ends a byte or item stream. */
  | { t: 'end'; id: number }
  | { t: 'body-credit'; id: number; body: number; credit: number }
  | { t: 'body-cancel'; id: number; body: number }
  | { t: 'pong'; id: number }
  | { t: 'bye'; error: WireError }

export type CallKind = 'unary' | 'bytes' | 'items'

/** A message that is none: `id` says which call it meant to be about, if it can be told. */
export interface Malformed {
  t: 'malformed'
  id?: number
}

export function parseClientMessage(data: unknown): ClientMessage | Malformed {
  if (!isRecord(data)) return { t: 'malformed' }
  const { t, id, body, credit } = data
  if (t === 'bye') return { t }
  if (!isCount(id)) return { t: 'malformed' }
  const malformed: Malformed = { t: 'malformed', id }
  switch (t) {
    case 'call': {
      const { kind, method, params, bodies } = data
      if (kind !== 'unary' && kind !== 'bytes' && kind !== 'items') return malformed
      if (typeof method !== 'string' || !isCount(bodies) || bodies > LIMITS.maxFolderEntries) return malformed
      return isCredit(credit) ? { t, id, kind, method, params, bodies, credit } : malformed
    }
    case 'cancel':
    case 'ping':
      return { t, id }
    case 'credit':
      return isCredit(credit) ? { t, id, credit } : malformed
    case 'body':
      return isCount(body) && isFrame(data.bytes) ? { t, id, body, bytes: data.bytes } : malformed
    case 'body-end':
      return isCount(body) ? { t, id, body } : malformed
    case 'body-error':
      // The error itself may be anything: fromWireError reads it with care.
      return isCount(body) ? { t, id, body, error: data.error as WireError } : malformed
    default:
      return malformed
  }
}

export function parseServerMessage(data: unknown): ServerMessage | Malformed {
  if (!isRecord(data)) return { t: 'malformed' }
  const { t, id, body, credit } = data
  if (t === 'bye') return { t, error: data.error as WireError }
  if (!isCount(id)) return { t: 'malformed' }
  const malformed: Malformed = { t: 'malformed', id }
  switch (t) {
    case 'result':
    case 'progress':
      return { t, id, value: data.value }
    case 'error':
      return { t, id, error: data.error as WireError }
    case 'bytes':
      return isFrame(data.bytes) ? { t, id, bytes: data.bytes } : malformed
    case 'items':
      return Array.isArray(data.items) ? { t, id, items: data.items as unknown[] } : malformed
    case 'end':
    case 'pong':
      return { t, id }
    case 'body-credit':
      return isCount(body) && isCredit(credit) ? { t, id, body, credit } : malformed
    case 'body-cancel':
      return isCount(body) ? { t, id, body } : malformed
    default:
      return malformed
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isCredit(value: unknown): value is number {
  return isCount(value) && value > 0
}

/** Empty frames carry nothing and cost credit nothing: refusing them keeps a flood of them from being free. */
function isFrame(value: unknown): value is Uint8Array {
  return isBytes(value) && value.length > 0
}
