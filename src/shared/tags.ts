/** By tag and not by instanceof: what comes from a frame is of that frame's classes. */
const tag = (value: unknown): string => Object.prototype.toString.call(value).slice('[object '.length, -1)

export const isBlob = (value: unknown): value is Blob => tag(value) === 'Blob' || tag(value) === 'File'

export const isBytes = (value: unknown): value is Uint8Array => tag(value) === 'Uint8Array'

export const isByteStream = (value: unknown): value is ReadableStream<Uint8Array> => tag(value) === 'ReadableStream'

export const isAbortSignal = (value: unknown): value is AbortSignal => tag(value) === 'AbortSignal'

/** Whether a view covers the whole of a buffer that is not shared with another thread. */
export const isWholeBuffer = ({ buffer, byteLength }: Uint8Array): boolean =>
  tag(buffer) === 'ArrayBuffer' && byteLength === buffer.byteLength
