import { fromWireError, PocketError, toPocketError, toWireError } from '../shared/errors.ts'
import { ByteSender } from './byte-sender.ts'
import type { CallKind, ClientMessage, ServerMessage } from './wire.ts'

/** What a call needs of the client that keeps it. */
export interface CallLink {
  /** Registers the call, sends its first message and returns its id. @throws PocketError when it cannot begin */
  open(call: OpenCall, kind: CallKind, credit: number, bodies: number): number
  post(message: ClientMessage, transfer?: ArrayBuffer[]): void
  /** Forgets the call. */
  end(id: number): void
}

/** A call under way, as its client sees it. */
export interface OpenCall {
  /** @throws PocketError ERR_PROTOCOL for a message that another kind of call would get */
  receive(message: ServerMessage): void
  /** The end, for a reason of either side. The client has forgotten the call by then. */
  fail(error: PocketError): void
}

export interface UnaryCallInit {
  link: CallLink
  bodies: ReadableStream<Uint8Array>[]
  onProgress: ((value: never) => void) | undefined
  resolve(value: unknown): void
  reject(error: PocketError): void
}

export class UnaryCall implements OpenCall {
  readonly #init: UnaryCallInit
  readonly #id: number
  #senders: ByteSender[] = []

  /** @throws PocketError when it cannot begin */
  constructor(init: UnaryCallInit) {
    this.#init = init
    const { link, bodies } = init
    if (bodies.some((source, index) => source.locked || bodies.indexOf(source) !== index)) {
      throw new PocketError('ERR_INVALID_ARGUMENT', 'A stream is in use already')
    }
    this.#id = link.open(this, 'unary', 1, bodies.length)
    this.#senders = bodies.map((source, body) => this.#send(source, body))
  }

  receive(message: ServerMessage): void {
    const { link, onProgress } = this.#init
    switch (message.t) {
      case 'result':
        link.end(this.#id)
        this.#stopBodies(new PocketError('ERR_ABORTED', 'The call ended before the stream'))
        return this.#init.resolve(message.value)
      case 'error':
        link.end(this.#id)
        return this.fail(fromWireError(message.error))
      case 'progress':
        link.post({ t: 'credit', id: this.#id, credit: 1 })
        try {
          onProgress?.(message.value as never)
        } catch (error) {
          // The caller's own mistake: shown as any uncaught one, and no reason to fail what goes on.
          queueMicrotask(() => {
            throw error
          })
        }
        return
      case 'body-credit':
        return this.#senders[message.body]?.grant(message.credit)
      case 'body-cancel':
        return this.#senders[message.body]?.stop(new PocketError('ERR_ABORTED', 'The node needs no more of the stream'))
      default:
        throw unexpected(message)
    }
  }

  fail(error: PocketError): void {
    this.#stopBodies(error)
    this.#init.reject(error)
  }

  #send(source: ReadableStream<Uint8Array>, body: number): ByteSender {
    const { link } = this.#init
    const id = this.#id
    return new ByteSender({
      source,
      credit: 0,
      // A page may fill the buffer of a chunk anew.
      owned: false,
      onFrame: (bytes) => link.post({ t: 'body', id, body, bytes }, [bytes.buffer]),
      onEnd: () => link.post({ t: 'body-end', id, body }),
      // Whatever the page's own stream failed with is a source that could not be read, unless it has a code.
      onError: (error) =>
        link.post({ t: 'body-error', id, body, error: toWireError(toPocketError(error, 'ERR_SOURCE_UNREADABLE')) }),
    })
  }

  #stopBodies(reason: PocketError): void {
    for (const sender of this.#senders) sender.stop(reason)
    this.#senders = []
  }
}

/** What turns arriving frames into something that can be read. */
interface Receiver<Frame> {
  accept(frame: Frame): void
  end(): void
  fail(error: unknown): void
}

interface ReceiverInit {
  onWant(credit: number): void
  onStop(): void
}

/** A call that answers with a stream. It begins when the receiver first wants something. */
export class StreamCall<R extends Receiver<Uint8Array> | Receiver<unknown[]>> implements OpenCall {
  readonly receiver: R
  #end: (() => void) | undefined

  constructor(link: CallLink, kind: 'bytes' | 'items', createReceiver: (init: ReceiverInit) => R) {
    let id: number | undefined
    this.receiver = createReceiver({
      onWant: (credit) => {
        if (id !== undefined) return link.post({ t: 'credit', id, credit })
        try {
          const opened = (id = link.open(this, kind, credit, 0))
          this.#end = () => link.end(opened)
        } catch (error) {
          this.receiver.fail(error)
        }
      },
      onStop: () => {
        if (id === undefined) return
        link.post({ t: 'cancel', id })
        link.end(id)
      },
    })
  }

  receive(message: ServerMessage): void {
    switch (message.t) {
      case 'bytes':
      case 'items':
        // Each receiver refuses the other's frames.
        return this.receiver.accept((message.t === 'bytes' ? message.bytes : message.items) as never)
      case 'end':
        this.#end?.()
        return this.receiver.end()
      case 'error':
        this.#end?.()
        return this.receiver.fail(fromWireError(message.error))
      default:
        throw unexpected(message)
    }
  }

  fail(error: PocketError): void {
    this.receiver.fail(error)
  }
}

function unexpected(message: ServerMessage): PocketError {
  return new PocketError('ERR_PROTOCOL', `A message of type ${message.t} does not belong to this call`)
}
