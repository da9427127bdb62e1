import { PocketError } from '../../shared/errors.ts'
import { hasBody, readBody } from './body.ts'
import { errorReply } from './error-reply.ts'
import { SECURITY_HEADERS } from './headers.ts'
import { parseRequest, textReply, writeReply } from './reply.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Handler, Reply } from './reply.ts'

export interface RouterInit {
  /** The first that can, answers. */
  handlers: readonly Handler[]
  trustedProxies: readonly string[]
  log: (line: string) => void
}

/** Answers with the first handler that can; every answer carries the security headers, errors too. */
export function createRouter({ handlers, trustedProxies, log }: RouterInit) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const reply = await answer(handlers, request, trustedProxies).catch((error: unknown): Reply => {
      // Somebody who leaves in the middle of a request is no failure.
      if (!response.destroyed)
        log(`request failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      return errorReply(new PocketError('ERR_INTERNAL', 'The companion failed to answer. Its log says why.'))
    })
    if (response.destroyed) return
    // A body that was not read to its end would be swallowed, so the socket ends with the answer.
    if (!request.complete && hasBody(request)) response.setHeader('connection', 'close')
    writeReply({ ...reply, headers: { ...SECURITY_HEADERS, ...reply.headers } }, request, response)
  }
}

async function answer(
  handlers: readonly Handler[],
  request: IncomingMessage,
  trustedProxies: readonly string[],
): Promise<Reply> {
  const parsed = parseRequest(request, trustedProxies)
  if (parsed === undefined) return textReply(400, 'This is not an address of the companion.')
  const handler = handlers.find((candidate) => candidate.canHandle(parsed))
  const maxBytes = handler?.maxBodyBytes?.(parsed) ?? 0
  if (hasBody(request) && handler?.maxBodyBytes === undefined)
    return textReply(413, 'This address takes no request body.')
  if (handler === undefined) return textReply(404, 'There is nothing at this address.')
  const body = await readBody(request, maxBytes)
  if (body === undefined) {
    return errorReply(
      new PocketError('ERR_LIMIT_EXCEEDED', `At most ${maxBytes} bytes are taken here.`, { detail: { maxBytes } }),
    )
  }
  return await handler.handle({ ...parsed, body })
}
