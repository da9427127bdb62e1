import { fromWireError, PocketError, toWireError } from '../shared/errors.ts'
import { LIMITS } from '../shared/limits.ts'
import { ByteReceiver } from './byte-receiver.ts'
import { ByteSender } from './byte-sender.ts'
import { ItemSender } from './item-sender.ts'
import type { CallContext, RpcHandler } from './types.ts'
import type { ClientMessage, ServerMessage } from './wire.ts'

export interface ServerCallInit {
  id: number
  handler: RpcHandler
  params: unknown
  bodies: number
  credit: number
  post(message: ServerMessage, transfer?: ArrayBuffer[]): void
  /** Called once the handler has settled: until then it counts as under way, cancelled or not. */
  onSettled(): void
}

/** One call on the serving side: runs the handler and sends what it gives as far as the client has asked for. */
export class ServerCall {
  readonly #init: ServerCallInit
  readonly #aborter = new AbortController()
  readonly #bodies: ByteReceiver[]
  #answer: ByteSender | ItemSender | undefined
  /** Progress: one report is on its way at most, the latest waits. */
  #progressCredit: number
  #progress: { value: unknown } | undefined
  #ended = false

  constructor(init: ServerCallInit) {
    this.#init = init
    this.#progressCredit = Math.min(init.credit, 1)
    this.#bodies = Array.from({ length: init.bodies }, (_, body) => this.#receiveBody(body))
  }

  start(): void {
    try {
      this.#run({
        signal: this.#aborter.signal,
        progress: (value) => this.#report(value),
        bodies: this.#bodies.map((body) => body.stream),
      })
    } catch (error) {
      this.#fail(error)
    }
  }

  receive(message: Extract<ClientMessage, { id: number }>): void {
    if (this.#ended) return
    switch (message.t) {
      case 'cancel':
        return this.abort(new PocketError('ERR_ABORTED'))
      case 'credit':
        return this.#grant(message.credit)
      case 'body':
        return this.#body(message.body).accept(message.bytes)
      case 'body-end':
        return this.#body(message.body).end()
      case 'body-error':
        return this.#body(message.body).fail(fromWireError(message.error))
      case 'call':
        throw new PocketError('ERR_PROTOCOL', 'Two calls have the same id')
      case 'ping':
    }
  }

  /** Ends it without an answer: the client knows, or is gone. */
  abort(reason: PocketError): void {
    if (this.#ended) return
    this.#ended = true
    this.#progress = undefined
    for (const body of this.#bodies) body.fail(reason)
    // After the abort, so that the source knows why it is let go.
    this.#aborter.abort(reason)
    this.#answer?.stop(reason)
    if (this.#answer !== undefined) this.#init.onSettled()
  }

  /** Ends it with an error that the client is told. */
  breakOff(error: PocketError): void {
    if (this.#ended) return
    this.#init.post({ t: 'error', id: this.#init.id, error: toWireError(error) })
    this.abort(error)
  }

  #run(context: CallContext): void {
    const { id, handler, params, credit } = this.#init
    const onEnd = (): void => this.#finish({ t: 'end', id })
    const onError = (error: unknown): void => this.#fail(error)
    switch (handler.kind) {
      case 'unary':
        void handler.handle(params, context).then(
          (value) => this.#finish({ t: 'result', id, value }),
          (error: unknown) => this.#fail(error),
        )
        return
      case 'bytes':
        this.#answer = new ByteSender({
          source: handler.handle(params, context),
          credit: Math.min(credit, LIMITS.portWindowBytes),
          owned: true,
          onFrame: (bytes) => this.#init.post({ t: 'bytes', id, bytes }, [bytes.buffer]),
          onEnd,
          onError,
        })
        return
      case 'items':
        this.#answer = new ItemSender({
          source: handler.handle(params, context),
          credit: Math.min(credit, LIMITS.portWindowItems),
          onItems: (items) => this.#init.post({ t: 'items', id, items }),
          onEnd,
          onError,
        })
    }
  }

  #grant(credit: number): void {
    if (this.#answer !== undefined) return this.#answer.grant(credit)
    this.#progressCredit = 1
    this.#flushProgress()
  }

  #report(value: unknown): void {
    if (this.#ended) return
    this.#progress = { value }
    if (this.#progressCredit > 0) this.#flushProgress()
  }

  #flushProgress(): void {
    if (this.#progress === undefined) return
    const { value } = this.#progress
    this.#progress = undefined
    this.#progressCredit = 0
    this.#init.post({ t: 'progress', id: this.#init.id, value })
  }

  #receiveBody(body: number): ByteReceiver {
    const { id } = this.#init
    return new ByteReceiver({
      onWant: (credit) => this.#ended || this.#init.post({ t: 'body-credit', id, body, credit }),
      onStop: () => this.#ended || this.#init.post({ t: 'body-cancel', id, body }),
    })
  }

  #body(index: number): ByteReceiver {
    const body = this.#bodies[index]
    if (body === undefined) throw new PocketError('ERR_PROTOCOL', `The call has no body ${index}`)
    return body
  }

  #finish(last: ServerMessage): void {
    if (!this.#ended) {
      try {
        // The last progress is the one that says it is complete.
        this.#flushProgress()
        this.#init.post(last)
      } catch (cause) {
        return this.#fail(new PocketError('ERR_INTERNAL', 'The answer cannot be sent', { cause }))
      }
    }
    this.#settle()
  }

  #fail(error: unknown): void {
    if (!this.#ended) this.#init.post({ t: 'error', id: this.#init.id, error: toWireError(error) })
    this.#settle()
  }

  #settle(): void {
    this.#ended = true
    // A handler that returned without reading its bodies, or still reads them somewhere, gets no more.
    for (const body of this.#bodies) body.fail(new PocketError('ERR_ABORTED', 'The call has ended'))
    this.#init.onSettled()
  }
}
