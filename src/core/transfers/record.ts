import type { Transfer, TransferSource, TransferState } from '../../contract/node-api.ts'
import { isErrorCode, type WireError } from '../../shared/errors.ts'

/** What the journal keeps of a transfer. A structured clone; a change of its shape is a new version. */
export interface JobRecord {
  version: 1
  id: string
  kind: 'fetch' | 'import'
  state: TransferState
  /** Of a fetch: `cid` or `cid/names`, as asked for. */
  path?: string
  /** The root: of what the path leads to, or of what was imported. */
  cid?: string
  /** As given by whoever asked. */
  name?: string
  from: string[]
  /** Of an import: what it goes on from, as its runner keeps it. */
  staged?: unknown
  done: number
  total?: number
  priority: number
  sources: TransferSource[]
  attempts: number
  nextAttemptAt?: number
  error?: WireError
  createdAt: number
  updatedAt: number
}

const RECORD_VERSION = 1

const OVER: TransferState[] = ['complete', 'failed', 'cancelled']
const STATES: TransferState[] = ['queued', 'running', 'waiting', 'paused', ...OVER]

export function isOver({ state }: Pick<Transfer, 'state'>): boolean {
  return OVER.includes(state)
}

/** @returns undefined for what this version does not understand, whoever wrote it */
export function parseRecord(value: unknown): JobRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const record = value as Partial<Record<keyof JobRecord, unknown>>
  const valid =
    record.version === RECORD_VERSION &&
    isText(record.id) &&
    STATES.includes(record.state as TransferState) &&
    (record.kind === 'import'
      ? record.staged !== undefined || isOver({ state: record.state as TransferState })
      : record.kind === 'fetch' && isText(record.path)) &&
    [record.cid, record.name].every((text) => text === undefined || isText(text)) &&
    [record.done, record.priority, record.attempts, record.createdAt, record.updatedAt].every(isNumber) &&
    [record.total, record.nextAttemptAt].every((number) => number === undefined || isNumber(number)) &&
    isListOf(record.from, isText) &&
    isListOf(record.sources, isSource) &&
    (record.error === undefined || isError(record.error))
  return valid ? (value as JobRecord) : undefined
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isListOf(value: unknown, check: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(check)
}

function isSource(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { kind, id, bytes } = value as Partial<Record<keyof TransferSource, unknown>>
  return (kind === 'peer' || kind === 'gateway') && isText(id) && isNumber(bytes)
}

function isError(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { code, message } = value as Partial<Record<keyof WireError, unknown>>
  return isErrorCode(code) && isText(message)
}
