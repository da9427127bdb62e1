import type { AddEntry, AddSource } from '../contract/node-api.ts'
import type { WireAddSource, WireContent } from '../contract/node-rpc.ts'
import { PocketError } from '../shared/errors.ts'
import { isBlob, isBytes, isByteStream, isWholeBuffer } from '../shared/tags.ts'

/** What is added, as it travels: Blobs and bytes in the message, streams beside it. */
export function toWireSource(source: AddSource): { source: WireAddSource; bodies: ReadableStream<Uint8Array>[] } {
  const bodies: ReadableStream<Uint8Array>[] = []
  const toContent = (content: AddEntry['content']): WireContent => toWireContent(content, bodies)
  if (!Array.isArray(source)) return { source: { kind: 'single', content: toContent(source) }, bodies }
  const entries = source.map(({ path, content }) => ({ path, content: toContent(content) }))
  return { source: { kind: 'entries', entries }, bodies }
}

/** Streams are appended to `bodies`. */
export function toWireContent(content: AddEntry['content'], bodies: ReadableStream<Uint8Array>[]): WireContent {
  if (isBlob(content)) return content
  // A view is sent without the rest of its buffer, and never from memory that others write to.
  if (isBytes(content)) return isWholeBuffer(content) ? content : new Uint8Array(content)
  if (isByteStream(content)) return { body: bodies.push(content) - 1 }
  throw new PocketError('ERR_INVALID_ARGUMENT', 'Content must be a Blob, a Uint8Array or a ReadableStream', {
    detail: { argument: 'source' },
  })
}
