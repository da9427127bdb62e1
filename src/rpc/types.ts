/** Request, byte stream and item stream over a `PortLike`. See `createRpcClient` and `serveRpc`. */

export interface RpcCallOptions {
  signal?: AbortSignal
  onProgress?: (progress: never) => void
  /** Byte streams that travel with the call; the params refer to them by index. */
  bodies?: ReadableStream<Uint8Array>[]
}

export interface CallContext {
  /** Fires when the caller cancels or its port dies. */
  signal: AbortSignal
  progress(value: unknown): void
  bodies: ReadableStream<Uint8Array>[]
}

/** Params arrive as `unknown`: the handler parses them before use. */
export type RpcHandler =
  | { kind: 'unary'; handle(params: unknown, context: CallContext): Promise<unknown> }
  | { kind: 'bytes'; handle(params: unknown, context: CallContext): ReadableStream<Uint8Array> }
  | { kind: 'items'; handle(params: unknown, context: CallContext): AsyncIterable<unknown> }

export type RpcHandlers = Record<string, RpcHandler>

type KindOf<T, M extends keyof T> = T[M] extends { kind: infer K } ? K : never
export type MethodsOf<T, Kind> = { [M in keyof T]: KindOf<T, M> extends Kind ? M : never }[keyof T] & string
export type ParamsOf<T, M extends keyof T> = T[M] extends { params: infer P } ? P : never
export type ResultOf<T, M extends keyof T> = T[M] extends { result: infer R } ? R : never
export type ProgressOf<T, M extends keyof T> = T[M] extends { progress: infer P } ? P : never

/** The calling end. Every pending call and stream rejects when the port is closed or declared dead. */
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
  /** Resolves with the round trip in ms; rejects with ERR_TIMEOUT after `timeoutMs`. */
  ping(timeoutMs: number): Promise<number>
  /** Rejects all that is pending with `reason` (default ERR_CLOSED) and closes the port. */
  close(reason?: unknown): void
}

export interface RpcServer {
  /** Aborts every call under way and closes the port. */
  close(): void
}
