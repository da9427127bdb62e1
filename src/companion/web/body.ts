import type { IncomingMessage } from 'node:http'

/** Whether the client sends a body with it. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/**
 * The body; `undefined` as soon as it is more than `maxBytes`, which is mostly before any of it was read. How long it may
 * take is the HTTP server's matter (`requestTimeoutMs`). Rejects when the client goes away.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | undefined> {
  if (!hasBody(request)) return new Uint8Array(0)
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return undefined
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    size += part.byteLength
    if (size > maxBytes) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}
