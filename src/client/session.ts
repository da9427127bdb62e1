import { hostLock, type PageMessage } from '../contract/host-link.ts'
import type { NodeMethods } from '../contract/node-rpc.ts'
import { createRpcClient } from '../rpc/client.ts'
import type { RpcClient } from '../rpc/types.ts'
import { PocketError } from '../shared/errors.ts'
import { currentGeneration } from './generation.ts'
import type { Attached } from './handshake.ts'
import { watchHeartbeat } from './heartbeat.ts'
import type { LostHost } from './ladder.ts'
import { whenFree } from './locks.ts'

/** A host that serves this page, until it is lost or let go. */
export interface Session {
  readonly rpc: RpcClient<NodeMethods>
  /** Tells the host something beside the calls. */
  tell(message: PageMessage, transfer?: MessagePort[]): void
  /** Resolves when the host is dead, silent or says goodbye; not after `close`. Calls under way have failed by then. */
  readonly lost: Promise<LostHost>
  close(reason: PocketError): void
}

export function openSession({ hostId, port, detach }: Attached): Session {
  const generation = currentGeneration()
  const rpc = createRpcClient<NodeMethods>(port.rpc)
  const over = new AbortController()
  let stopHeartbeat = (): void => undefined
  const end = (reason: PocketError): boolean => {
    if (over.signal.aborted) return false
    over.abort()
    stopHeartbeat()
    rpc.close(reason)
    detach()
    return true
  }
  const lost = new Promise<LostHost>((resolve) => {
    const lose = (silent: boolean): void => {
      if (end(new PocketError('ERR_HOST_LOST'))) resolve({ hostId, silent, generation })
    }
    // Each tells what the others cannot: the lock of a worker that died, the goodbye of one that was replaced, the
    // silence of one that hangs or is frozen.
    whenFree(hostLock(hostId), over.signal, () => lose(false))
    void rpc.closed.then(() => lose(false))
    stopHeartbeat = watchHeartbeat(rpc.ping, () => lose(true))
  })
  return {
    rpc,
    tell: (message, transfer = []) => {
      if (!over.signal.aborted) port.control.postMessage(message, transfer)
    },
    lost,
    close: (reason) => void end(reason),
  }
}
