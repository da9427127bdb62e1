/**
 * A DevTools connection of the tests' own, beside Playwright's. Needed for what Playwright keeps to itself: the targets
 * of shared workers, their network, and a page's life-cycle state (which its own session cannot set).
 */

export interface CdpSession {
  send<T = Record<string, unknown>>(method: string, params?: object): Promise<T>
  detach(): Promise<void>
}

export interface TargetInfo {
  targetId: string
  /** `page`, `shared_worker`, `service_worker`, `worker`, … */
  type: string
  url: string
  browserContextId?: string
}

export interface Cdp {
  send<T = Record<string, unknown>>(method: string, params?: object): Promise<T>
  targets(): Promise<TargetInfo[]>
  /** A session with a target; it stays attached, and what it emulates with it, until `detach` or `close`. */
  attach(targetId: string): Promise<CdpSession>
  /** Calls back for every target that begins or changes from now on. */
  onTarget(listener: (info: TargetInfo) => void): void
  close(): void
}

interface Pending {
  resolve: (value: never) => void
  reject: (error: Error) => void
}

interface Message {
  id?: number
  method?: string
  params?: { targetInfo?: TargetInfo }
  result?: unknown
  error?: { message: string }
}

/** `port` is the browser's `--remote-debugging-port`. */
export async function connectCdp(port: number): Promise<Cdp> {
  const response = await fetch(`http://127.0.0.1:${port}/json/version`)
  const { webSocketDebuggerUrl } = (await response.json()) as { webSocketDebuggerUrl: string }
  const socket = new WebSocket(webSocketDebuggerUrl)
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = () => reject(new Error(`No DevTools connection at ${webSocketDebuggerUrl}`))
  })

  const pending = new Map<number, Pending>()
  const listeners: ((info: TargetInfo) => void)[] = []
  let lastId = 0
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data as string) as Message
    if (message.id !== undefined) {
      const call = pending.get(message.id)
      pending.delete(message.id)
      if (message.error !== undefined) call?.reject(new Error(message.error.message))
      else call?.resolve(message.result as never)
    } else if (message.method === 'Target.targetCreated' || message.method === 'Target.targetInfoChanged') {
      const info = message.params?.targetInfo
      if (info !== undefined) for (const listener of listeners) listener(info)
    }
  }
  socket.onclose = () => {
    for (const call of pending.values()) call.reject(new Error('The DevTools connection closed'))
    pending.clear()
  }
  const send = <T>(method: string, params: object = {}, sessionId?: string): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const id = ++lastId
      pending.set(id, { resolve, reject })
      socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }))
    })

  await send('Target.setDiscoverTargets', { discover: true })
  return {
    send: (method, params) => send(method, params),
    targets: async () => (await send<{ targetInfos: TargetInfo[] }>('Target.getTargets', { filter: [{}] })).targetInfos,
    attach: async (targetId) => {
      const { sessionId } = await send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true })
      return {
        send: (method, params) => send(method, params, sessionId),
        detach: async () => {
          await send('Target.detachFromTarget', { sessionId })
        },
      }
    },
    onTarget: (listener) => listeners.push(listener),
    close: () => socket.close(),
  }
}
