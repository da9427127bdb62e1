import type { NodeService, PeerConnection } from '../../../src/contract/node-api.ts'
import { createNode } from '../../../src/core/node.ts'
import type { HostPorts } from '../../../src/core/ports.ts'
import { webFetch } from '../../../src/platform/worker/web-fetch.ts'
import { createMemoryBlockTable, createMemoryStateTable } from '../../../src/core/storage/index.ts'

export interface TestNode extends NodeService, AsyncDisposable {
  ports: HostPorts
}

/** The real core under Node, over stores in memory; no WebRTC here. */
export async function startNode(options: { relays?: string[]; ports?: Partial<HostPorts> } = {}): Promise<TestNode> {
  const ports: HostPorts = {
    blocks: createMemoryBlockTable(),
    state: createMemoryStateTable(),
    fetch: webFetch,
    network: { online: () => true, watch: () => () => undefined },
    webrtc: { state: () => 'unsupported', watch: () => () => undefined },
    ...options.ports,
  }
  const node = await createNode(ports, { host: 'shared-worker', relays: options.relays ?? [] })
  return Object.assign(node, { ports, [Symbol.asyncDispose]: async () => node.stop() })
}

/** Resolves when `check` holds for the connections of the node. */
export async function untilPeers(node: NodeService, check: (peers: PeerConnection[]) => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const watch = node.watch((event) => {
    if (event.type === 'peers' && check(event.peers)) resolve()
  })
  await promise
  watch.stop()
}

/** Resolves when `check` holds for a status of the node. */
export async function untilStatus(
  node: NodeService,
  check: (status: Awaited<ReturnType<NodeService['status']>>) => boolean,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const watch = node.watch((event) => {
    if (event.type === 'status' && check(event.status)) resolve()
  })
  await promise
  watch.stop()
}

export async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer())
}

/** Deterministic bytes that do not compress. */
export function randomBytes(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  let state = seed * 2654435761
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}
