import type { PortLike } from '../contract/port.ts'
import { PocketError, toPocketError, toWireError } from '../shared/errors.ts'
import { LIMITS } from '../shared/limits.ts'
import { ServerCall } from './server-call.ts'
import type { RpcHandler, RpcHandlers, RpcServer } from './types.ts'
import { parseClientMessage, type ClientMessage, type ServerMessage } from './wire.ts'

/** Takes the port over: nothing else may listen on it. */
export function serveRpc(port: PortLike, handlers: RpcHandlers): RpcServer {
  const server = new Server(port, handlers)
  return { close: (reason) => server.close(reason), closed: server.closed }
}

class Server {
  readonly closed: Promise<void>
  readonly #port: PortLike
  readonly #handlers: RpcHandlers
  readonly #calls = new Map<number, ServerCall>()
  #open = true
  #resolveClosed!: () => void

  constructor(port: PortLike, handlers: RpcHandlers) {
    this.#port = port
    this.#handlers = handlers
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve))
    port.onmessage = ({ data }) => this.#receive(data)
    // What was lost cannot be known, and its sender may wait for an answer.
    port.onmessageerror = () => this.close(new PocketError('ERR_PROTOCOL', 'A message could not be read'))
  }

  close(reason?: unknown): void {
    if (!this.#open) return
    const error = toPocketError(reason ?? new PocketError('ERR_CLOSED'))
    this.#post({ t: 'bye', error: toWireError(error) })
    this.#end(error)
  }

  #end(reason: PocketError): void {
    this.#open = false
    this.#port.onmessage = null
    this.#port.onmessageerror = null
    this.#port.close()
    for (const call of this.#calls.values()) call.abort(reason)
    this.#resolveClosed()
  }

  #post(message: ServerMessage, transfer: ArrayBuffer[] = []): void {
    if (this.#open) this.#port.postMessage(message, transfer)
  }

  #receive(data: unknown): void {
    const message = parseClientMessage(data)
    switch (message.t) {
      case 'bye':
        return this.#end(new PocketError('ERR_CLOSED'))
      case 'ping':
        return this.#post({ t: 'pong', id: message.id })
      case 'malformed':
        if (message.id !== undefined) this.#refuse(message.id, new PocketError('ERR_PROTOCOL'))
        return
      default:
        return this.#dispatch(message)
    }
  }

  #dispatch(message: Extract<ClientMessage, { id: number }>): void {
    const call = this.#calls.get(message.id)
    try {
      if (call !== undefined) call.receive(message)
      else if (message.t === 'call') this.#begin(message)
    } catch (error) {
      this.#refuse(message.id, toPocketError(error))
    }
  }

  #begin({ id, kind, method, params, bodies, credit }: Extract<ClientMessage, { t: 'call' }>): void {
    if (this.#calls.size >= LIMITS.maxCallsPerPort) {
      throw new PocketError('ERR_LIMIT_EXCEEDED', 'Too many calls are under way', {
        detail: { limit: LIMITS.maxCallsPerPort },
      })
    }
    const handler = this.#find(method)
    if (handler.kind !== kind) throw new PocketError('ERR_PROTOCOL', `${method} is no call of kind ${kind}`)
    const call = new ServerCall({
      id,
      handler,
      params,
      bodies,
      credit,
      post: (message, transfer) => this.#post(message, transfer),
      onSettled: () => {
        if (this.#calls.get(id) === call) this.#calls.delete(id)
      },
    })
    this.#calls.set(id, call)
    call.start()
  }

  #find(method: string): RpcHandler {
    const handler = Object.hasOwn(this.#handlers, method) ? this.#handlers[method] : undefined
    if (handler === undefined) throw new PocketError('ERR_UNKNOWN_METHOD', undefined, { detail: { method } })
    return handler
  }

  /** Ends the call that a message without sense was about, or says why it does not begin. */
  #refuse(id: number, error: PocketError): void {
    const call = this.#calls.get(id)
    if (call !== undefined) call.breakOff(error)
    else this.#post({ t: 'error', id, error: toWireError(error) })
  }
}
