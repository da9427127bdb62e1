import { PocketError } from '../../shared/errors.ts'
import type { BlockIndex, BlockLocation } from './block-index.ts'

/** One change of the index. Without a location the block is gone. */
export interface LogEntry {
  multihash: Uint8Array
  location?: BlockLocation
}

/**
 * A page is one version byte, one flag byte, then entries:
 *   u8 kind (0 deleted, 1 a value, 2 part of a file), u8 length of the multihash, multihash,
 *   kinds 1 and 2: u32 size; kind 2: u32 file, f64 offset. Numbers are little-endian.
 * Entries say what is, not what changes, so reading a page twice or a merged one does no harm.
 */
const VERSION = 1
/** The first page of a snapshot: forget all that came before. */
const FLAG_SNAPSHOT = 1
const HEADER_BYTES = 2
/** 200 KiB a page: few records to read at start, small enough to decode without a hitch. */
const SNAPSHOT_ENTRIES = 4096

const DELETED = 0
const VALUE = 1
const FILE_PART = 2

export function encodePage(entries: LogEntry[], snapshot = false): Uint8Array {
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + entryBytes(entry), HEADER_BYTES))
  const view = new DataView(bytes.buffer)
  view.setUint8(0, VERSION)
  view.setUint8(1, snapshot ? FLAG_SNAPSHOT : 0)
  let at = HEADER_BYTES
  for (const { multihash, location } of entries) {
    view.setUint8(at, location === undefined ? DELETED : location.file === 0 ? VALUE : FILE_PART)
    view.setUint8(at + 1, multihash.byteLength)
    bytes.set(multihash, at + 2)
    at += 2 + multihash.byteLength
    if (location === undefined) continue
    view.setUint32(at, location.size, true)
    at += 4
    if (location.file === 0) continue
    view.setUint32(at, location.file, true)
    view.setFloat64(at + 4, location.offset, true)
    at += 12
  }
  return bytes
}

/** Brings the index to what the page says. @throws ERR_STORAGE_VERSION for a page of a later layout */
export function applyPage(index: BlockIndex, page: Uint8Array): void {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength)
  if (page.byteLength < HEADER_BYTES || view.getUint8(0) !== VERSION) throw new PocketError('ERR_STORAGE_VERSION')
  if (view.getUint8(1) === FLAG_SNAPSHOT) index.clear()
  let at = HEADER_BYTES
  while (at < page.byteLength) {
    const kind = view.getUint8(at)
    const begin = at + 2
    const length = view.getUint8(at + 1)
    at = begin + length
    if (kind === DELETED) {
      index.delete(page.subarray(begin, at))
      continue
    }
    const size = view.getUint32(at, true)
    at += 4
    if (kind !== FILE_PART) {
      index.setAt(page, begin, length, size, 0, 0)
      continue
    }
    index.setAt(page, begin, length, size, view.getUint32(at, true), view.getFloat64(at + 4, true))
    at += 12
  }
}

export function applyEntries(index: BlockIndex, entries: LogEntry[]): void {
  for (const { multihash, location } of entries) {
    if (location === undefined) index.delete(multihash)
    else index.set(multihash, location)
  }
}

/** The whole index as pages, least recently used first: what reads them takes over that order. */
export function* snapshotPages(index: BlockIndex): Generator<Uint8Array> {
  let first = true
  let entries: LogEntry[] = []
  for (const entry of index.byUse()) {
    entries.push(entry)
    if (entries.length < SNAPSHOT_ENTRIES) continue
    yield encodePage(entries, first)
    first = false
    entries = []
  }
  if (entries.length > 0 || first) yield encodePage(entries, first)
}

function entryBytes({ multihash, location }: LogEntry): number {
  return 2 + multihash.byteLength + (location === undefined ? 0 : location.file === 0 ? 4 : 16)
}
