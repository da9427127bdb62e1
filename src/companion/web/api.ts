import { PocketError } from '../../shared/errors.ts'
import { createRate } from '../server/address-limits.ts'
import { API_HEADERS, errorReply } from './error-reply.ts'
import type { CompanionConfig } from '../config.ts'
import type { Handler, Reply, WebRequest } from './reply.ts'

/** One address of an API. */
export interface ApiRoute {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Of the whole path; its groups are handed on. */
  path: RegExp
  maxBodyBytes?: number
  handle(request: WebRequest, groups: readonly string[]): Reply | Promise<Reply>
}

export interface ApiInit {
  /** All paths that begin with it are the API's. */
  prefix: string
  routes: readonly ApiRoute[]
  config: Pick<CompanionConfig, 'apiRequestsPerSecond' | 'apiBurst'>
}

export function createApi({ prefix, routes, config }: ApiInit): Handler {
  const rate = createRate(config.apiRequestsPerSecond, config.apiBurst)
  const find = ({ path, method }: WebRequest): ApiRoute | undefined =>
    routes.find((route) => route.method === methodOf(method) && route.path.test(path))
  const answer = async (request: WebRequest): Promise<Reply> => {
    const methods = routes.filter(({ path }) => path.test(request.path)).map(({ method }) => method)
    if (methods.length === 0) throw new PocketError('ERR_UNKNOWN_METHOD', 'There is nothing at this address.')
    const allow = [...new Set(methods), 'OPTIONS'].join(', ')
    if (request.method === 'OPTIONS') return { status: 204, headers: preflight(allow) }
    const route = find(request)
    if (route !== undefined) {
      return await route.handle(request, route.path.exec(request.path)?.slice(1) ?? [])
    }
    const wrong = new PocketError('ERR_UNKNOWN_METHOD', `This address knows ${allow}.`)
    return { ...errorReply(wrong, { allow }), status: 405 }
  }
  return {
    canHandle: ({ path }) => path === prefix || path.startsWith(`${prefix}/`),
    maxBodyBytes: (request) => find(request)?.maxBodyBytes ?? 0,
    async handle(request) {
      try {
        if (!rate.take(request.client)) throw tooMany('Too many requests from this address.', 1)
        const reply = await answer(request)
        return { ...reply, headers: { ...API_HEADERS, ...reply.headers } }
      } catch (error) {
        if (error instanceof PocketError) return errorReply(error)
        throw error
      }
    },
  }
}

export function tooMany(sentence: string, retryAfterSeconds: number): PocketError {
  return new PocketError('ERR_LIMIT_EXCEEDED', sentence, { detail: { retryAfterSeconds } })
}

/** The body as JSON. @throws PocketError ERR_INVALID_ARGUMENT */
export function jsonBody({ body }: WebRequest): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    throw new PocketError('ERR_INVALID_ARGUMENT', 'The body is not JSON.', { cause })
  }
}

function preflight(methods: string): Record<string, string> {
  return {
    'access-control-allow-methods': methods,
    'access-control-allow-headers': 'authorization, content-type',
    'access-control-max-age': '86400',
  }
}

function methodOf(method: string): string {
  return method === 'HEAD' ? 'GET' : method
}
