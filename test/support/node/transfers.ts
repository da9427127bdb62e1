import type { NodeService, Transfer } from '../../../src/contract/node-api.ts'
import { untilStatus } from './node.ts'

/** Resolves with the transfer as soon as `check` holds for it. */
export async function until(node: NodeService, id: string, check: (transfer: Transfer) => boolean): Promise<Transfer> {
  const { promise, resolve } = Promise.withResolvers<Transfer>()
  const watching = node.transfers.watch((transfer) => {
    if (transfer.id === id && check(transfer)) resolve(transfer)
  })
  try {
    return await promise
  } finally {
    watching.stop()
  }
}

export const complete = ({ state }: Transfer): boolean => state === 'complete'

/** What it comes with, and a relayed address of the node that has it. */
export async function offer(node: NodeService, bytes: Uint8Array<ArrayBuffer>) {
  const { cid } = await node.add(new File([bytes], 'big.bin'))
  await untilStatus(node, ({ reachable }) => reachable)
  const [from = ''] = (await node.id()).multiaddrs
  return { cid, from: [from] }
}
