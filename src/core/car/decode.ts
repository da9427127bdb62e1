import { CID } from 'multiformats/cid'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { createByteReader, type ByteReader } from './byte-reader.ts'
import { decodeItems } from './header.ts'

export interface CarBlock {
  cid: CID
  /** Not checked against the hash. May be a view of a larger buffer. */
  bytes: Uint8Array
}

export interface CarReader {
  version: 1 | 2
  roots: CID[]
  /** In the order of the file; can be read once. */
  blocks: AsyncGenerator<CarBlock, void>
}

/** A CID is at most this long here: 4 varints and a 64-byte digest. */
const MAX_CID_BYTES = 128

/**
 * Reads a CAR (https://ipld.io/specs/transport/car/) as it arrives, version 1 or the version 1 inside a version 2. No
 * length is trusted: a section is read only when it is within LIMITS.maxBlockBytes.
 * @throws PocketError ERR_INVALID_CAR, ERR_BLOCK_TOO_LARGE
 */
export async function readCar(source: AsyncIterable<Uint8Array>): Promise<CarReader> {
  const reader = createByteReader(source)
  const header = await readHeader(reader)
  if (header.version === 1) return { version: 1, roots: header.roots, blocks: readSections(reader, Infinity) }
  // Version 2: a fixed header says where the version 1 lies; the index behind it is not needed.
  const fixed = await reader.read(40)
  if (fixed === undefined || fixed.byteLength < 40) throw invalid('The header of version 2 is cut')
  const view = new DataView(fixed.buffer, fixed.byteOffset, 40)
  const offset = Number(view.getBigUint64(16, true))
  const size = Number(view.getBigUint64(24, true))
  const padding = offset - reader.position
  if (padding < 0 || padding > LIMITS.maxBlockBytes || size <= 0)
    throw invalid('The header of version 2 makes no sense')
  await reader.read(padding)
  const start = reader.position
  const inner = await readHeader(reader)
  if (inner.version !== 1) throw invalid('A version 2 must hold a version 1')
  return { version: 2, roots: inner.roots, blocks: readSections(reader, start + size) }
}

async function readHeader(reader: ByteReader): Promise<{ version: 1 | 2; roots: CID[] }> {
  const length = await reader.varint()
  if (length === undefined) throw cut('It is empty')
  if (length === 0) throw invalid('It has no header')
  if (length > LIMITS.maxCarHeaderBytes) throw invalid('The header is too long')
  const bytes = await reader.read(length)
  if (bytes === undefined) throw cut('The header is cut')
  let header: unknown
  try {
    header = decodeItems(bytes)
  } catch (cause) {
    throw invalid('The header is not DAG-CBOR', cause)
  }
  if (!(header instanceof Map)) throw invalid('The header is not a map')
  const version: unknown = header.get('version')
  const roots: unknown = header.get('roots') ?? []
  if (version === 2) return { version, roots: [] }
  if (version !== 1) throw invalid('Neither version 1 nor 2')
  if (!Array.isArray(roots)) throw invalid('The header has no roots')
  return { version, roots: roots.map(checkRoot) }
}

function checkRoot(root: unknown): CID {
  if (root instanceof CID) return root as CID
  throw invalid('A root is not a CID')
}

async function* readSections(reader: ByteReader, end: number): AsyncGenerator<CarBlock, void> {
  while (reader.position < end) {
    const length = await reader.varint()
    if (length === undefined) {
      if (end !== Infinity) throw invalid('It ends before its data')
      return
    }
    // Zero bytes may pad the end of a version 1 (the spec allows to refuse them; kubo writes none).
    if (length === 0) throw invalid('An empty section')
    if (length > LIMITS.maxBlockBytes + MAX_CID_BYTES) {
      throw new PocketError('ERR_BLOCK_TOO_LARGE', undefined, { detail: { bytes: length, max: LIMITS.maxBlockBytes } })
    }
    const section = await reader.read(length)
    if (section === undefined) throw cut('It ends in the middle of a section')
    if (reader.position > end) throw invalid('A section is longer than the data')
    yield parseSection(section)
  }
}

function parseSection(section: Uint8Array): CarBlock {
  let cid: CID
  let bytes: Uint8Array
  try {
    ;[cid, bytes] = CID.decodeFirst(section)
  } catch (cause) {
    throw invalid('A section has no CID', cause)
  }
  if (bytes.byteLength > LIMITS.maxBlockBytes) {
    throw new PocketError('ERR_BLOCK_TOO_LARGE', undefined, {
      detail: { bytes: bytes.byteLength, max: LIMITS.maxBlockBytes, cid: cid.toString() },
    })
  }
  return { cid, bytes }
}

function invalid(reason: string, cause?: unknown): PocketError {
  return new PocketError('ERR_INVALID_CAR', `This CAR cannot be read: ${reason}`, { detail: { reason }, cause })
}

/** Not whole, where what there is may be right. */
function cut(reason: string): PocketError {
  return new PocketError('ERR_INVALID_CAR', `This CAR cannot be read: ${reason}`, { detail: { reason, cut: true } })
}
