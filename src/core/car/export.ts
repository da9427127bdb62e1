import type { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import type { BlockSource } from '../content/block-source.ts'
import { dagOrder } from './dag-order.ts'
import { encodeHeader, encodeSectionHead } from './encode.ts'

/**
 * A DAG as a CAR version 1: depth first, each block once, read ahead in a window. Missing blocks are fetched.
 * @throws what the source throws
 */
export async function* exportCar(
  root: CID,
  source: Pick<BlockSource, 'get'>,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array, void> {
  yield encodeHeader([root])
  for await (const { cid, bytes } of dagOrder(root, source, options)) {
    // The block of an identity CID is in the CID.
    if (cid.multihash.code === 0) continue
    yield encodeSectionHead(cid, bytes.byteLength)
    // What goes through a port is transferred, and the CIDs of links are views of the node that they are in.
    yield cid.code === raw.code ? bytes : bytes.slice()
  }
}
