import type { PocketError } from '../shared/errors.ts'

/** Request, byte stream and item stream over a `PortLike`. See `createRpcClient` and `serveRpc`. */

export interface RpcCallOptions {
  signal?: AbortSignal
  onProgress?: (progress: never) => void
  /** Byte streams that travel with the call; the params refer to them by index. Cancelled when the call ends before they do. */
  bodies?: ReadableStream<Uint8Array>[]
}

export interface CallContext {
  /** Fires when the caller cancels or its port dies. */
  signal: AbortSignal
  /** The latest value counts: a caller that is slow to listen misses those between. */
  progress: (value: unknown) => void
  /** Nothing of them travels before they are read. They fail when the call ends. */
  bodies: ReadableStream<Uint8Array>[]
}

/** Params arrive as `unknown`: the handler parses them before use. */
export type RpcHandler =
  | { kind: 'unary'; handle(params: unknown, context: CallContext): Promise<unknown> }
  /** Chunks that fill their buffer are transferred: the handler must not use them again. */
  | { kind: 'bytes'; handle(params: unknown, context: CallContext): ReadableStream<Uint8Array> }
  | { kind: 'items'; handle(params: unknown, context: CallContext): AsyncIterable<unknown> }

export type RpcHandlers = Record<string, RpcHandler>

type KindOf<T, M extends keyof T> = T[M] extends { kind: infer K } ? K : never
export type MethodsOf<T, Kind> = { [M in keyof T]: KindOf<T, M> extends Kind ? M : never }[keyof T] & string
export type ParamsOf<T, M extends keyof T> = T[M] extends { params: infer P } ? P : never
export type ResultOf<T, M extends keyof T> = T[M] extends { result: infer R } ? R : never
export type ProgressOf<T, M extends keyof T> = T[M] extends { progress: infer P } ? P : never

/**
 * The calling end. Every pending call and stream rejects when the port is closed or declared dead. Streams begin when
 * they are first read: until then they cost nothing.
 */
export interface RpcClient<T> {
  call<M extends MethodsOf<T, 'unary'>>(
    method: M,
    params: ParamsOf<T, M>,
    options?: Omit<RpcCallOptions, 'onProgress'> & { onProgress?: (progress: ProgressOf<T, M>) => void },
  ): Promise<ResultOf<T, M>>
  bytes<M extends MethodsOf<T, 'bytes'>>(
    method: M,
    params: ParamsOf<T, M>,
    options?: { signal?: AbortSignal },
  ): ReadableStream<Uint8Array>
  items<M extends MethodsOf<T, 'items'>>(
    method: M,
    params: ParamsOf<T, M>,
    options?: { signal?: AbortSignal },
  ): AsyncIterable<ResultOf<T, M>>
  /** When the last message came, as `performance.now()` tells. */
  heardAt(): number
  /** Resolves with the round trip in ms; rejects with ERR_TIMEOUT after `timeoutMs`. */
  ping: (timeoutMs: number) => Promise<number>
  /** Rejects all that is pending with `reason` (default ERR_CLOSED) and closes the port. Repeated calls do nothing. */
  close(reason?: unknown): void
  /** Resolves, never rejects, with why it ended: the reason given to `close`, or the error the server said goodbye with. */
  readonly closed: Promise<PocketError>
}

export interface RpcServer {
  /** Aborts every call under way, tells the client `reason` (default ERR_CLOSED) and closes the port. Repeated calls do nothing. */
  close(reason?: unknown): void
  /** Resolves when either side has closed it. */
  readonly closed: Promise<void>
}
