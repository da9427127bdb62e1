import type { PortLike } from '../../contract/port.ts'
import { openDoor } from './door.ts'
import { createHost, type Host, type HostInit } from './host.ts'

export interface RunHostInit {
  startNode: HostInit['startNode']
  onReport: HostInit['onReport']
  onLend(port: PortLike): void
  onPage(page: { webrtc: boolean }): void
}

/**
 * Makes this worker a host: a SharedWorker takes a port from each page that connects, a dedicated worker from the page
 * that started it. Pages of other tabs find either at the door. Must run before the first task ends: the port of the
 * page that started a SharedWorker comes right after it.
 */
export function runHost(init: RunHostInit): Host {
  const scope = globalThis as unknown as SharedWorkerGlobalScope | DedicatedWorkerGlobalScope
  const shared = 'onconnect' in scope
  const host = createHost({
    ...init,
    kind: shared ? 'shared-worker' : 'dedicated-worker',
    onOwner: () => door.open(),
    // The next page that asks for this name gets a fresh worker.
    onLost: () => scope.close(),
  })
  const door = openDoor(host)
  if (shared) {
    scope.onconnect = ({ ports }) => {
      if (ports[0] !== undefined) host.accept(ports[0])
    }
  } else {
    // Only the page that started this worker can post here, and posts nothing but the port of each of its links.
    scope.onmessage = ({ ports }: MessageEvent<unknown>) => {
      if (ports[0] !== undefined) host.accept(ports[0])
    }
  }
  return host
}
