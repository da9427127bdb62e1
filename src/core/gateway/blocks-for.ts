import * as dagPb from '@ipld/dag-pb'
import type { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import { dagOrder } from '../car/dag-order.ts'
import type { CarBlock } from '../car/decode.ts'
import type { BlockSource } from '../content/block-source.ts'
import { fileBlocks, type FileRange } from '../content/file-blocks.ts'
import { orderedBlocks } from '../content/ordered-blocks.ts'
import { decodeUnixfs } from '../content/unixfs.ts'
import { decodeNode, keyOf } from '../content/walk.ts'
import type { ByteRange, CarRequest } from './request.ts'

/** The blocks that answer a CAR request, in depth-first order. @throws what the source throws, ERR_INVALID_BLOCK */
export async function* blocksFor(
  { cid, scope, range, links }: CarRequest,
  source: Pick<BlockSource, 'get'>,
  options: { signal?: AbortSignal },
): AsyncGenerator<CarBlock, void> {
  if (scope === 'all') {
    yield* dagOrder(cid, source, { ...options, ...(links === undefined ? {} : { links }) })
    return
  }
  const bytes = await source.get(cid, options)
  const unixfs = scope === 'entity' && cid.code === dagPb.code ? decodeUnixfs(cid, decodeNode(cid, bytes)) : undefined
  // A file as an entity is its blocks; a folder its own node, with the shards of a large one.
  if (unixfs?.type === 'hamt-sharded-directory') yield* shards(cid, source, options)
  else if (unixfs === undefined || unixfs.isDirectory()) yield { cid, bytes }
  else yield* fileBlocks(cid, absolute(range ?? { from: 0 }, unixfs), source, { ...options, once: true })
}

/** `entity-bytes` counts to the last byte, and from the end where it is negative. */
function absolute({ from, to }: ByteRange, unixfs: UnixFS): FileRange {
  const size = Number(unixfs.fileSize())
  const start = from < 0 ? Math.max(0, size + from) : from
  const last = to === undefined ? size - 1 : to < 0 ? size + to : to
  return { from: start, to: Math.min(last + 1, size) }
}

function shards(
  root: CID,
  source: Pick<BlockSource, 'get'>,
  options: { signal?: AbortSignal },
): AsyncGenerator<CarBlock, void> {
  const seen = new Set<string>()
  const isNew = (cid: CID): boolean => !seen.has(keyOf(cid)) && seen.add(keyOf(cid)) !== undefined
  return orderedBlocks({ cid: root, at: undefined }, source, {
    ...options,
    below: ({ cid, bytes }) =>
      decodeNode(cid, bytes)
        // An entry has its name behind the two digits of its place; a link to a shard has the digits only.
        .Links.filter(({ Name, Hash }) => Name?.length === 2 && isNew(Hash))
        .map(({ Hash }) => ({ cid: Hash, at: undefined })),
  })
}
