import * as dagPb from '@ipld/dag-pb'
import type { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import { PocketError } from '../../../shared/errors.ts'
import { LIMITS } from '../../../shared/limits.ts'
import type { BlockSource } from '../../content/block-source.ts'
import { checkCid, inlinedBytes } from '../../content/cids.ts'
import { decodeUnixfs } from '../../content/unixfs.ts'
import { decodeNode, keyOf } from '../../content/walk.ts'
import type { Part } from './part.ts'

export interface MissingOptions {
  signal?: AbortSignal
  /** Called for each block that is there, once. */
  onHeld?: (cid: CID, bytes: number) => void
  /** Of a file in one piece. */
  windowBytes?: number
}

type Store = Pick<BlockSource, 'has' | 'getLocal' | 'sizeOf'>

/** A block to look at: alone, or as a part of a file from `start` on. */
interface Frame {
  cid: CID
  /** What the link to it declares. */
  size?: number
  file?: { root: CID; start: number; end: number }
}

/**
 * What of a part is not in the store, in pieces of the size of one request: files in windows, folders in their children,
 * small neighbours of a folder together. Lazily: what is not taken is not looked for. Each block is looked at once, whatever a
 * node's maker repeats.
 * @throws PocketError ERR_INVALID_BLOCK, ERR_UNSUPPORTED_CODEC, ERR_LIMIT_EXCEEDED; the signal's reason
 */
export async function* missingOf(
  part: Part,
  store: Store,
  { signal, onHeld, windowBytes = LIMITS.carWindowBytes }: MissingOptions = {},
): AsyncGenerator<Part, void> {
  const seen = new Set<string>()
  const stack: Frame[] = []
  const windows = createWindows(windowBytes)
  const isNew = (cid: CID): boolean => {
    checkCid(cid)
    if (seen.has(keyOf(cid))) return false
    seen.add(keyOf(cid))
    if (seen.size > LIMITS.maxDagBlocks) {
      throw new PocketError('ERR_LIMIT_EXCEEDED', 'There are too many blocks', {
        detail: { limit: LIMITS.maxDagBlocks },
      })
    }
    return true
  }
  const push = (frames: Frame[]): void => {
    const fresh = frames.filter(({ cid }) => isNew(cid))
    for (const frame of fresh.reverse()) stack.push(frame)
  }

  async function* folder(cid: CID, links: [at: number, link: dagPb.PBLink][]): AsyncGenerator<Part, void> {
    const others: Frame[] = []
    let group: (Part & { kind: 'links' }) | undefined
    for (const [at, { Hash, Tsize: size = 0 }] of links) {
      const small = size > 0 && size <= SMALL_BYTES && inlinedBytes(Hash) === undefined
      if (!small || (await store.has(Hash))) {
        others.push({ cid: Hash, size })
        continue
      }
      if (!isNew(Hash)) continue
      if (
        group?.to === at - 1 &&
        group.size + size <= LIMITS.carWindowBytes &&
        at - group.from < LIMITS.maxGroupLinks
      ) {
        group.to = at
        group.size += size
        continue
      }
      if (group !== undefined) yield single(group, links)
      group = { kind: 'links', root: cid, from: at, to: at, size }
    }
    if (group !== undefined) yield single(group, links)
    push(others)
  }

  async function* open(cid: CID): AsyncGenerator<Part, void> {
    if (cid.code !== dagPb.code) return
    const node = decodeNode(cid, await store.getLocal(cid))
    const unixfs = unixfsOf(cid, node)
    if (part.kind === 'links' && cid.equals(part.root)) {
      yield* folder(cid, [...node.Links.entries()].slice(part.from, part.to + 1))
    } else if (unixfs === undefined || unixfs.isDirectory()) yield* folder(cid, [...node.Links.entries()])
    else push(fileFrames({ root: cid, start: 0 }, node, unixfs, part))
  }

  if (part.kind === 'block') {
    if (!(await store.has(part.root))) yield part
    return
  }
  push([{ cid: part.root, ...(part.kind === 'dag' ? { size: part.size } : {}) }])
  for (let frame = stack.pop(); frame !== undefined; frame = stack.pop()) {
    signal?.throwIfAborted()
    const { cid, file } = frame
    if (!(await store.has(cid))) {
      if (file !== undefined && file.end > file.start) yield* windows.add(file.root, file.start, file.end)
      else if (part.kind === 'range' && cid.equals(part.root)) yield part
      else if (frame.size !== undefined && frame.size <= LIMITS.carWindowBytes)
        yield { kind: 'dag', root: cid, size: frame.size }
      else yield { kind: 'block', root: cid }
      continue
    }
    onHeld?.(cid, store.sizeOf(cid) ?? 0)
    if (file === undefined) yield* open(cid)
    else if (cid.code === dagPb.code) {
      const node = decodeNode(cid, await store.getLocal(cid))
      push(fileFrames(file, node, decodeUnixfs(cid, node), part))
    }
  }
  yield* windows.end()
}

/** Bytes below one child of a folder up to which it shares a request with its neighbours. */
const SMALL_BYTES = 1024 * 1024

function single(group: Part & { kind: 'links' }, links: [at: number, link: dagPb.PBLink][]): Part {
  const only = group.from === group.to ? links.find(([at]) => at === group.from) : undefined
  return only === undefined ? group : { kind: 'dag', root: only[1].Hash, size: group.size }
}

function unixfsOf(cid: CID, node: dagPb.PBNode): UnixFS | undefined {
  try {
    return decodeUnixfs(cid, node)
  } catch {
    // Some other DAG of dag-pb: kept as it is.
    return undefined
  }
}

/** The children of a node of a file, those outside of the part left out. */
function fileFrames(file: { root: CID; start: number }, node: dagPb.PBNode, unixfs: UnixFS, part: Part): Frame[] {
  const frames: Frame[] = []
  let at = file.start + (unixfs.data?.byteLength ?? 0)
  for (const [index, { Hash }] of node.Links.entries()) {
    const end = at + Number(unixfs.blockSizes[index] ?? 0)
    // What declares no bytes is fetched for itself: no range leads to it.
    const within = part.kind !== 'range' || (at <= part.to && end > part.from)
    if (within) frames.push({ cid: Hash, file: { root: file.root, start: at, end } })
    at = end
  }
  return frames
}

/** Gathers missing stretches of a file into requests. */
function createWindows(bytes: number): {
  add(root: CID, start: number, end: number): Generator<Part>
  end(): Generator<Part>
} {
  let open: (Part & { kind: 'range' }) | undefined
  // A maker may have lied about what is below one link: cut, all but one of the requests would bring nothing.
  const uncut = Math.max(LIMITS.maxBlockBytes, LIMITS.carWindowBytes - bytes)
  let left = LIMITS.maxCarWindows * (LIMITS.carWindowBytes / bytes)
  function* flush(): Generator<Part> {
    if (open !== undefined) yield open
    open = undefined
  }
  return {
    end: flush,
    *add(root, start, end) {
      for (let at = start; at < end;) {
        if (open?.to !== at - 1 || !open.root.equals(root) || at - open.from >= bytes) {
          yield* flush()
          // Sizes in a node are what its maker wrote there: what is behind so many is for the next look.
          if (left-- <= 0) return
          open = { kind: 'range', root, from: at, to: at - 1 }
        }
        open.to = Math.min(end, open.from + bytes) - 1
        // A block is not cut where two make a window together.
        if (end - start <= uncut && open.to < end - 1) open.to = end - 1
        at = open.to + 1
      }
    },
  }
}
