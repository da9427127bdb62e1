import type { NodeService } from '../../contract/node-api.ts'
import { createNode, type NodeConfig } from '../../core/node.ts'
import type { HostPorts } from '../../core/ports.ts'
import { createMemoryBlockTable, createMemoryStateTable } from '../../core/storage/index.ts'
import { openBlockTable, openStateTable } from '../../platform/worker/indexeddb/index.ts'
import { storageEstimate } from '../../platform/worker/storage-estimate.ts'
import { webFetch } from '../../platform/worker/web-fetch.ts'
import { isPocketError } from '../../shared/errors.ts'

/** Starts the node on this worker's storage; where the browser offers none, content and identity end with the worker. */
export async function startNode(
  ports: Pick<HostPorts, 'network' | 'phone' | 'webrtc'>,
  config: NodeConfig,
): Promise<NodeService> {
  const [blocks, state] = await Promise.all([
    openBlockTable().catch(ifUnavailable(() => createMemoryBlockTable('ERR_STORAGE_UNAVAILABLE'))),
    openStateTable().catch(ifUnavailable(() => createMemoryStateTable())),
  ])
  // Nothing but itself bounds what is in memory.
  const room = blocks.kind === 'memory' ? {} : { estimate: storageEstimate }
  try {
    return await createNode({ ...ports, ...room, fetch: webFetch, blocks, state }, config)
  } catch (error) {
    // A later hello opens them anew.
    await Promise.all([blocks.close(), state.close()])
    throw error
  }
}

function ifUnavailable<T>(fallback: () => T): (error: unknown) => T {
  return (error) => {
    if (isPocketError(error, 'ERR_STORAGE_UNAVAILABLE')) return fallback()
    throw error
  }
}
