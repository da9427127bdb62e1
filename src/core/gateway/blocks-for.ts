import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import type { CarBlock } from '../car/decode.ts'
import { dagOrder } from '../car/dag-order.ts'
import type { BlockSource } from '../content/block-source.ts'
import { decodeNode } from '../content/walk.ts'
import type { ByteRange, GatewayRequest } from './request.ts'

/** The blocks that answer a CAR request, in depth-first order. @throws what the source throws, ERR_INVALID_BLOCK */
export async function* blocksFor(
  request: Extract<GatewayRequest, { kind: 'car' }>,
  source: Pick<BlockSource, 'get'>,
  options: { signal?: AbortSignal },
): AsyncGenerator<CarBlock, void> {
  const { cid, scope, range } = request
  if (scope === 'all') {
    yield* dagOrder(cid, source, options)
    return
  }
  const root: CarBlock = { cid, bytes: await source.get(cid, options) }
  const unixfs = scope === 'entity' ? unixfsOf(root) : undefined
  // A file as an entity is its blocks; a folder its own node, with the shards of a large one.
  if (unixfs?.type === 'hamt-sharded-directory') {
    yield* shards(root, source, options)
  } else if (unixfs === undefined || unixfs.isDirectory()) {
    yield root
  } else {
    const { from, to } = absolute(range ?? { from: 0 }, Number(unixfs.fileSize()))
    yield* fileRange(root, from, to, source, options)
  }
}

/** Undefined for what is no dag-pb node or holds no UnixFS. */
function unixfsOf({ cid, bytes }: CarBlock): UnixFS | undefined {
  if (cid.code !== dagPb.code) return undefined
  const { Data } = decodeNode(cid, bytes)
  try {
    return Data === undefined ? undefined : UnixFS.unmarshal(Data)
  } catch {
    return undefined
  }
}

function absolute({ from, to }: ByteRange, size: number): { from: number; to: number } {
  const start = from < 0 ? Math.max(0, size + from) : from
  const end = to === undefined ? size - 1 : to < 0 ? size + to : to
  return { from: start, to: Math.min(end, size - 1) }
}

/** The nodes and leaves of a file that hold the bytes `from` to `to`, both included. */
async function* fileRange(
  block: CarBlock,
  from: number,
  to: number,
  source: Pick<BlockSource, 'get'>,
  options: { signal?: AbortSignal },
): AsyncGenerator<CarBlock, void> {
  yield block
  const unixfs = unixfsOf(block)
  if (unixfs === undefined) return
  const { Links } = decodeNode(block.cid, block.bytes)
  const wanted: { cid: CID; start: number; bytes: Promise<Uint8Array> }[] = []
  let start = unixfs.data?.byteLength ?? 0
  for (const [at, { Hash }] of Links.entries()) {
    const size = Number(unixfs.blockSizes[at] ?? 0)
    if (start <= to && start + size > from) {
      const bytes = source.get(Hash, options)
      bytes.catch(() => undefined)
      wanted.push({ cid: Hash, start, bytes })
    }
    start += size
  }
  for (const child of wanted) {
    yield* fileRange(
      { cid: child.cid, bytes: await child.bytes },
      from - child.start,
      to - child.start,
      source,
      options,
    )
  }
}

async function* shards(
  block: CarBlock,
  source: Pick<BlockSource, 'get'>,
  options: { signal?: AbortSignal },
): AsyncGenerator<CarBlock, void> {
  yield block
  for (const { Name, Hash } of decodeNode(block.cid, block.bytes).Links) {
    // An entry has its name behind the two digits of its place; a link to a shard has the digits only.
    if (Name?.length === 2) yield* shards({ cid: Hash, bytes: await source.get(Hash, options) }, source, options)
  }
}
