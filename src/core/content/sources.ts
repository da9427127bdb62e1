import type { AddEntry, AddSource } from '../../contract/node-api.ts'
import { isPocketError, PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'

/** Bytes of one read and reads under way: Chromium reads large slices several times faster than small ones (ADR 3). */
const READ_BYTES = 8 * LIMITS.chunkBytes
const READS = 4

/** Bytes of the whole source; undefined where a stream is part of it. */
export function totalSize(source: AddSource): number | undefined {
  if (!Array.isArray(source)) return sizeOf(source)
  let total = 0
  for (const { content } of source) {
    const size = sizeOf(content)
    if (size === undefined) return undefined
    total += size
  }
  return total
}

export function isFile(source: AddSource): source is File {
  return source instanceof Blob && 'name' in source && typeof source.name === 'string'
}

/**
 * The bytes of a source in chunks of at most LIMITS.chunkBytes, except those of a stream, which are as they come.
 * @throws PocketError ERR_SOURCE_UNREADABLE, ERR_SOURCE_CHANGED, ERR_INVALID_ARGUMENT
 */
export async function* chunksOf(content: AddEntry['content']): AsyncGenerator<Uint8Array, void> {
  if (content instanceof Uint8Array) yield* slicesOf(content)
  else if (content instanceof Blob) yield* readBlob(content)
  else yield* readStream(content)
}

function sizeOf(content: AddEntry['content']): number | undefined {
  if (content instanceof Blob) return content.size
  return content instanceof Uint8Array ? content.byteLength : undefined
}

function* slicesOf(bytes: Uint8Array): Generator<Uint8Array, void> {
  for (let at = 0; at < bytes.byteLength; at += LIMITS.chunkBytes) yield bytes.subarray(at, at + LIMITS.chunkBytes)
}

/** Reads ahead; `onRead` sees the chunks as soon as they are there, before their turn. */
export async function* readBlob(
  blob: Blob,
  onRead: (chunk: Uint8Array) => void = () => undefined,
): AsyncGenerator<Uint8Array, void> {
  const read = async (at: number): Promise<Uint8Array[]> => {
    const expected = Math.min(READ_BYTES, blob.size - at)
    const bytes = await readAll(blob.slice(at, at + expected))
    if (bytes.byteLength !== expected) throw new PocketError('ERR_SOURCE_CHANGED')
    const chunks = [...slicesOf(bytes)]
    chunks.forEach(onRead)
    return chunks
  }
  // Chromium gives a picked File the size 0 when the file is gone by then: only reading it tells it from an empty one.
  if (blob.size === 0) await readAll(blob)
  const reads: Promise<Uint8Array[]>[] = []
  let next = 0
  const fill = (): void => {
    for (; reads.length < READS && next < blob.size; next += READ_BYTES) {
      const chunks = read(next)
      // Awaited when its turn comes: a failure before that must not count as unhandled.
      chunks.catch(() => undefined)
      reads.push(chunks)
    }
  }
  fill()
  for (let chunks = reads.shift(); chunks !== undefined; chunks = reads.shift()) {
    const ready = await chunks
    fill()
    yield* ready
  }
}

async function readAll(blob: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer())
  } catch (cause) {
    // NotReadableError: moved, deleted or changed since it was picked; the platform does not say which.
    throw new PocketError('ERR_SOURCE_UNREADABLE', undefined, { cause })
  }
}

async function* readStream(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      if (!(value instanceof Uint8Array))
        throw new PocketError('ERR_INVALID_ARGUMENT', 'A stream of bytes was expected')
      yield value
    }
  } catch (error) {
    throw isPocketError(error) ? error : new PocketError('ERR_SOURCE_UNREADABLE', undefined, { cause: error })
  } finally {
    await reader.cancel().catch(() => undefined)
    reader.releaseLock()
  }
}
