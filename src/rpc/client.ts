import type { PortLike } from '../contract/port.ts'
import { fromWireError, PocketError, toPocketError } from '../shared/errors.ts'
import { ByteReceiver } from './byte-receiver.ts'
import { StreamCall, UnaryCall, type CallLink, type OpenCall } from './client-calls.ts'
import { ItemReceiver } from './item-receiver.ts'
import type { RpcClient } from './types.ts'
import { parseServerMessage, type CallKind, type ClientMessage, type ServerMessage } from './wire.ts'

/** Takes the port over: nothing else may listen on it. */
export function createRpcClient<T>(port: PortLike): RpcClient<T> {
  const client = new Client(port)
  return {
    // The wire carries anything; what it is was settled by the table of methods, and the server checks.
    call: (method, params, options) => client.call(method, params, options ?? {}) as Promise<never>,
    bytes: (method, params, options) => client.bytes(method, params, options?.signal),
    items: (method, params, options) => client.items(method, params, options?.signal) as AsyncIterable<never>,
    heardAt: () => client.heardAt,
    ping: (timeoutMs) => client.ping(timeoutMs),
    close: (reason) => client.close(reason),
    closed: client.closed,
  }
}

interface UnaryOptions {
  signal?: AbortSignal
  onProgress?: (value: never) => void
  bodies?: ReadableStream<Uint8Array>[]
}

interface Entry {
  call: OpenCall
  /** Removes the listener from the caller's signal, which may live longer than the call. */
  unwatch(): void
}

class Client {
  heardAt = performance.now()
  readonly closed: Promise<PocketError>
  readonly #port: PortLike
  readonly #calls = new Map<number, Entry>()
  readonly #pings = new Map<number, { pong(): void; fail(error: PocketError): void }>()
  #nextId = 0
  #reason: PocketError | undefined
  #resolveClosed!: (reason: PocketError) => void

  constructor(port: PortLike) {
    this.#port = port
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve))
    port.onmessage = ({ data }) => this.#receive(data)
    // What was lost cannot be known: every call may wait for it.
    port.onmessageerror = () => this.close(new PocketError('ERR_PROTOCOL', 'A message could not be read'))
  }

  call(method: string, params: unknown, { signal, onProgress, bodies = [] }: UnaryOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      new UnaryCall({ link: this.#link(method, params, signal), bodies, onProgress, resolve, reject })
    })
  }

  bytes(method: string, params: unknown, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
    const link = this.#link(method, params, signal)
    return new StreamCall(link, 'bytes', (init) => new ByteReceiver(init)).receiver.stream
  }

  items(method: string, params: unknown, signal: AbortSignal | undefined): AsyncIterable<unknown> {
    const link = this.#link(method, params, signal)
    return {
      [Symbol.asyncIterator]: () => new StreamCall(link, 'items', (init) => new ItemReceiver(init)).receiver,
    }
  }

  ping(timeoutMs: number): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#reason !== undefined) return reject(this.#reason)
      const id = this.#nextId++
      const sent = performance.now()
      const end = (settle: () => void): void => {
        clearTimeout(timer)
        this.#pings.delete(id)
        settle()
      }
      const timer = setTimeout(() => end(() => reject(new PocketError('ERR_TIMEOUT'))), timeoutMs)
      this.#pings.set(id, {
        pong: () => end(() => resolve(performance.now() - sent)),
        fail: (error) => end(() => reject(error)),
      })
      this.#post({ t: 'ping', id })
    })
  }

  close(reason?: unknown): void {
    if (this.#reason !== undefined) return
    const error = toPocketError(reason ?? new PocketError('ERR_CLOSED'))
    this.#post({ t: 'bye' })
    this.#reason = error
    this.#port.onmessage = null
    this.#port.onmessageerror = null
    this.#port.close()
    // First: who tries a failed call again must know by then that this port is no more.
    this.#resolveClosed(error)
    for (const id of [...this.#calls.keys()]) this.#end(id)?.fail(error)
    for (const ping of this.#pings.values()) ping.fail(error)
  }

  #link(method: string, params: unknown, signal: AbortSignal | undefined): CallLink {
    return {
      open: (call, kind, credit, bodies) => this.#open(call, { kind, method, params, credit, bodies }, signal),
      post: (message, transfer) => this.#post(message, transfer),
      end: (id) => void this.#end(id),
    }
  }

  #open(
    call: OpenCall,
    first: { kind: CallKind; method: string; params: unknown; credit: number; bodies: number },
    signal: AbortSignal | undefined,
  ): number {
    if (this.#reason !== undefined) throw this.#reason
    if (signal?.aborted === true) throw toPocketError(signal.reason, 'ERR_ABORTED')
    const id = this.#nextId++
    try {
      this.#post({ t: 'call', id, ...first })
    } catch (cause) {
      // A function, a locked stream, a detached buffer: not something that can be sent.
      throw new PocketError('ERR_INVALID_ARGUMENT', undefined, { cause })
    }
    const abort = (): void => {
      this.#post({ t: 'cancel', id })
      this.#end(id)?.fail(toPocketError(signal?.reason, 'ERR_ABORTED'))
    }
    signal?.addEventListener('abort', abort)
    this.#calls.set(id, { call, unwatch: () => signal?.removeEventListener('abort', abort) })
    return id
  }

  #end(id: number): OpenCall | undefined {
    const entry = this.#calls.get(id)
    this.#calls.delete(id)
    entry?.unwatch()
    return entry?.call
  }

  #post(message: ClientMessage, transfer: ArrayBuffer[] = []): void {
    if (this.#reason === undefined) this.#port.postMessage(message, transfer)
  }

  #receive(data: unknown): void {
    this.heardAt = performance.now()
    const message = parseServerMessage(data)
    switch (message.t) {
      case 'bye':
        return this.close(fromWireError(message.error))
      case 'pong':
        return this.#pings.get(message.id)?.pong()
      case 'malformed':
        if (message.id !== undefined) this.#breakOff(message.id, new PocketError('ERR_PROTOCOL'))
        return
      default:
        return this.#dispatch(message)
    }
  }

  #dispatch(message: Extract<ServerMessage, { id: number }>): void {
    const { call } = this.#calls.get(message.id) ?? {}
    try {
      call?.receive(message)
    } catch (error) {
      this.#breakOff(message.id, toPocketError(error))
    }
  }

  /** Ends a call whose answers make no sense. */
  #breakOff(id: number, error: PocketError): void {
    const call = this.#end(id)
    if (call === undefined) return
    this.#post({ t: 'cancel', id })
    call.fail(error)
  }
}
