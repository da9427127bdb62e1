import { SECURITY_HEADERS } from './headers.ts'
import { parseRequest, textReply, writeReply } from './reply.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Handler, Reply } from './reply.ts'

/** Answers with the first handler that can; every answer carries the security headers, errors too. */
export function createRouter(handlers: readonly Handler[], log: (line: string) => void) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // No route takes a body. Unread, it would be swallowed to its end, so the socket ends with the answer.
    if (hasBody(request)) response.setHeader('connection', 'close')
    const reply = await answer(handlers, request).catch((error: unknown): Reply => {
      log(`request failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      return textReply(500, 'The companion failed to answer. Its log says why.')
    })
    if (response.destroyed) return
    writeReply({ ...reply, headers: { ...SECURITY_HEADERS, ...reply.headers } }, request, response)
  }
}

async function answer(handlers: readonly Handler[], request: IncomingMessage): Promise<Reply> {
  if (hasBody(request)) return textReply(413, 'The companion takes no request bodies.')
  const parsed = parseRequest(request)
  if (parsed === undefined) return textReply(400, 'This is not an address of the companion.')
  const handler = handlers.find((candidate) => candidate.canHandle(parsed))
  return handler === undefined ? textReply(404, 'There is nothing at this address.') : await handler.handle(parsed)
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}
