import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import type { WriteBehind } from './write-behind.ts'

/** A node of a file's DAG, or the whole of it. */
export interface FileDag {
  cid: CID
  /** Bytes of content. */
  size: number
  /** Bytes of its blocks, itself included. */
  dagSize: number
}

/** Links of a node: IPIP-499 `unixfs-v1-2025`. */
const MAX_LINKS = 1024

/** A leaf that is there already. */
export function leafDag(cid: CID, size: number): FileDag {
  return { cid, size, dagSize: size }
}

export async function rawCidOf(bytes: Uint8Array): Promise<CID> {
  return CID.createV1(raw.code, await sha256.digest(bytes))
}

/**
 * Builds the balanced DAG of a file while its leaves come: nodes as full as they can be, all leaves equally deep. Holds
 * at most `maxLinks` nodes of each level.
 */
export class FileDagBuilder {
  readonly #blocks: Pick<WriteBehind, 'put'>
  readonly #maxLinks: number
  readonly #levels: FileDag[][] = [[]]

  constructor(blocks: Pick<WriteBehind, 'put'>, maxLinks = MAX_LINKS) {
    this.#blocks = blocks
    this.#maxLinks = maxLinks
  }

  async add(leaf: FileDag): Promise<void> {
    await this.#push(0, leaf)
  }

  /** The root; `undefined` without leaves. A single leaf is the file itself. */
  async finish(): Promise<FileDag | undefined> {
    for (let level = 0; ; level++) {
      const nodes = this.#levels[level] ?? []
      const isTop = level === this.#levels.length - 1
      if (isTop && nodes.length <= 1) return nodes[0]
      if (nodes.length > 0) await this.#reduce(level)
    }
  }

  async #push(level: number, node: FileDag): Promise<void> {
    const nodes = (this.#levels[level] ??= [])
    // Only when one more comes: a full node may be the root.
    if (nodes.length === this.#maxLinks) await this.#reduce(level)
    this.#levels[level]?.push(node)
  }

  async #reduce(level: number): Promise<void> {
    const nodes = this.#levels[level] ?? []
    this.#levels[level] = []
    const file = new UnixFS({ type: 'file' })
    for (const { size } of nodes) file.addBlockSize(BigInt(size))
    const bytes = dagPb.encode({
      Data: file.marshal(),
      Links: nodes.map(({ cid, dagSize }) => ({ Name: '', Tsize: dagSize, Hash: cid })),
    })
    const cid = CID.createV1(dagPb.code, await sha256.digest(bytes))
    await this.#blocks.put(cid, bytes)
    const size = nodes.reduce((sum, node) => sum + node.size, 0)
    const dagSize = nodes.reduce((sum, node) => sum + node.dagSize, bytes.byteLength)
    await this.#push(level + 1, { cid, size, dagSize })
  }
}
