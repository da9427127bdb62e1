import { LIMITS } from '../../shared/limits.ts'

/**
 * Content to add whose bytes are in the store already, in files that no block is part of yet. It can be cloned and kept:
 * after the end of the node `addStaged` goes on with it, and the sources are not needed any more. 20,000 files are
 * about 1 MB, so it is kept in columns.
 */
export interface StagedAdd {
  version: 1
  kind: 'file' | 'directory'
  /** The File's name, or that of the folder which holds all entries. */
  name?: string
  /** Bytes of content. */
  size: number
  /** One a file, in their order; '' for a source that is no folder. */
  paths: string[]
  /** Pieces of each file, in the order of `paths`. */
  counts: Uint32Array
  /** Id of the stored file, offset and length in bytes of every piece; all but the last of a file are whole leaves. */
  pieces: Float64Array
}

/** One leaf of a file: where its bytes are. */
export interface StagedLeaf {
  /** Index of the path. */
  entry: number
  /** Id of the stored file. */
  file: number
  offset: number
  length: number
}

/** Ids of the files that hold the bytes: `sweepFiles` must be told to keep them. */
export function stagedFiles({ pieces }: StagedAdd): number[] {
  const ids = new Set<number>()
  for (let at = 0; at < pieces.length; at += 3) ids.add(pieces[at] ?? 0)
  return [...ids]
}

/** The leaves in their order. A file without bytes has none. */
export function* stagedLeaves({ counts, pieces }: StagedAdd): Generator<StagedLeaf> {
  let at = 0
  for (const [entry, count] of counts.entries()) {
    for (let piece = 0; piece < count; piece++, at += 3) {
      const [file = 0, begin = 0, size = 0] = pieces.subarray(at, at + 3)
      for (let done = 0; done < size; done += LIMITS.chunkBytes) {
        yield { entry, file, offset: begin + done, length: Math.min(LIMITS.chunkBytes, size - done) }
      }
    }
  }
}

/** Collects what is staged, file by file. */
export class StagedAddBuilder {
  readonly #paths: string[] = []
  readonly #pieces: [file: number, offset: number, length: number][][] = []
  #size = 0

  /** Begins the next file; returns its index. */
  entry(path: string): number {
    this.#pieces.push([])
    return this.#paths.push(path) - 1
  }

  /** What follows the last piece in the same stored file, in whole leaves, becomes one with it. */
  piece(entry: number, file: number, offset: number, length: number): void {
    this.#size += length
    const pieces = this.#pieces[entry] ?? []
    const last = pieces.at(-1)
    if (last !== undefined && last[0] === file && last[1] + last[2] === offset && last[2] % LIMITS.chunkBytes === 0) {
      last[2] += length
    } else pieces.push([file, offset, length])
  }

  build(kind: StagedAdd['kind'], name: string | undefined): StagedAdd {
    return {
      version: 1,
      kind,
      ...(name === undefined ? {} : { name }),
      size: this.#size,
      paths: this.#paths,
      counts: Uint32Array.from(this.#pieces, (pieces) => pieces.length),
      pieces: Float64Array.from(this.#pieces.flat(2)),
    }
  }
}
