import { hostLock, lendChannel, type PageMessage } from '../contract/host-link.ts'
import type { NodeMethods } from '../contract/node-rpc.ts'
import { createRpcClient } from '../rpc/client.ts'
import type { PortLike } from '../contract/port.ts'
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
  /** Offers this page's WebRTC: the page's end of the way to the host. */
  lend(): PortLike
  /** Calls under way fail with `reason`. */
  close(reason: PocketError): void
}

/**
 * @param onLost called once when the host is dead, silent or says goodbye; not after `close`. Before the calls under way
 * fail: who tries one again must find the next session.
 */
export function openSession(
  { hostId, port, carriesPorts, detach }: Attached,
  onLost: (lost: LostHost) => void,
): Session {
  const generation = currentGeneration()
  const rpc = createRpcClient<NodeMethods>(port.rpc)
  const over = new AbortController()
  const end = (reason: PocketError): void => {
    over.abort()
    stopHeartbeat()
    rpc.close(reason)
    detach()
  }
  const lose = (silent: boolean): void => {
    if (over.signal.aborted) return
    over.abort()
    onLost({ hostId, silent, generation })
    end(new PocketError('ERR_HOST_LOST'))
  }
  // Each tells what the others cannot: the lock of a worker that died, the goodbye of one that was replaced, the silence
  // of one that hangs or is frozen.
  whenFree(hostLock(hostId), over.signal, () => lose(false))
  void rpc.closed.then(() => lose(false))
  const stopHeartbeat = watchHeartbeat(rpc, () => lose(true))
  const tell = (message: PageMessage, transfer: MessagePort[] = []): void => {
    if (!over.signal.aborted) port.control.postMessage(message, transfer)
  }
  return {
    rpc,
    tell,
    lend() {
      if (carriesPorts) {
        const { port1, port2 } = new MessageChannel()
        tell({ type: 'lend', port: port2 }, [port2])
        return port1
      }
      const id = crypto.randomUUID()
      const channel = new BroadcastChannel(lendChannel(id))
      tell({ type: 'lend', channel: id })
      return channel
    },
    close: (reason) => {
      if (!over.signal.aborted) end(reason)
    },
  }
}
