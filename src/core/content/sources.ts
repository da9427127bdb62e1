import type { AddEntry, AddSource } from '../../contract/node-api.ts'
import { isPocketError, PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { pipeline } from '../storage/index.ts'

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
 * The bytes of a source as the leaves of its DAG: LIMITS.chunkBytes each, the last one less. Nothing for an empty source.
 * @throws PocketError ERR_SOURCE_UNREADABLE, ERR_SOURCE_CHANGED, ERR_INVALID_ARGUMENT
 */
export async function* leavesOf(content: AddEntry['content'], signal?: AbortSignal): AsyncGenerator<Uint8Array, void> {
  if (content instanceof Uint8Array) yield* slicesOf(content)
  else if (content instanceof Blob) yield* readBlob(content)
  else yield* toLeaves(readStream(content, signal))
}

/** The bytes of a source as they come. @throws like `leavesOf` */
export function chunksOf(content: AddEntry['content'], signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  return content instanceof ReadableStream ? readStream(content, signal) : leavesOf(content)
}

/** @throws PocketError ERR_SOURCE_UNREADABLE, ERR_SOURCE_CHANGED */
export async function readWhole(blob: Blob): Promise<Uint8Array> {
  const bytes = await readAll(blob)
  if (bytes.byteLength !== blob.size) throw new PocketError('ERR_SOURCE_CHANGED')
  return bytes
}

function sizeOf(content: AddEntry['content']): number | undefined {
  if (content instanceof Blob) return content.size
  return content instanceof Uint8Array ? content.byteLength : undefined
}

function* slicesOf(bytes: Uint8Array): Generator<Uint8Array, void> {
  for (let at = 0; at < bytes.byteLength; at += LIMITS.chunkBytes) yield bytes.subarray(at, at + LIMITS.chunkBytes)
}

async function* readBlob(blob: Blob): AsyncGenerator<Uint8Array, void> {
  // Chromium gives a picked File the size 0 when the file is gone by then: only reading it tells it from an empty one.
  if (blob.size === 0) await readAll(blob)
  const reads = pipeline(offsets(blob.size), READS, (at) => readWhole(blob.slice(at, at + READ_BYTES)))
  for await (const bytes of reads) yield* slicesOf(bytes)
}

function* offsets(size: number): Generator<number, void> {
  for (let at = 0; at < size; at += READ_BYTES) yield at
}

/** Chunks of any size as leaves. */
async function* toLeaves(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let leaf = new Uint8Array(LIMITS.chunkBytes)
  let filled = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength;) {
      const part = chunk.subarray(at, at + LIMITS.chunkBytes - filled)
      leaf.set(part, filled)
      at += part.byteLength
      filled += part.byteLength
      if (filled < LIMITS.chunkBytes) continue
      yield leaf
      leaf = new Uint8Array(LIMITS.chunkBytes)
      filled = 0
    }
  }
  if (filled > 0) yield leaf.subarray(0, filled)
}

async function readAll(blob: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer())
  } catch (cause) {
    // NotReadableError: moved, deleted or changed since it was picked; the platform does not say which.
    throw new PocketError('ERR_SOURCE_UNREADABLE', undefined, { cause })
  }
}

async function* readStream(stream: ReadableStream<Uint8Array>, signal?: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader()
  // Ends a read of a source that gives nothing any more; whoever takes the chunks looks at the signal.
  const cancel = (): void => void reader.cancel(signal?.reason).catch(() => undefined)
  signal?.addEventListener('abort', cancel, { once: true })
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
    signal?.removeEventListener('abort', cancel)
    await reader.cancel().catch(() => undefined)
    reader.releaseLock()
  }
}
