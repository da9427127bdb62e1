import { LIMITS } from '../../shared/limits.ts'
import { GatheredReads } from './gathered-reads.ts'

interface Part {
  offset: number
  size: number
}

/**
 * Reads parts of one file, neighbours together: Chromium reads 4 MiB at once 1.6 times as fast as four times 1 MiB, with
 * two thirds of the CPU (ADR 3).
 */
export class FileReads {
  readonly #reads: GatheredReads<Part, Uint8Array>

  constructor(blob: Blob) {
    this.#reads = new GatheredReads<Part, Uint8Array>({
      windows: LIMITS.fileReads,
      next: neighbours,
      readWindow: async (parts) => {
        const start = (parts[0] as Part).offset
        const last = parts.at(-1) as Part
        const bytes = await blob.slice(start, last.offset + last.size).arrayBuffer()
        return parts.map(({ offset, size }) => new Uint8Array(bytes, offset - start, size))
      },
    })
  }

  /** The bytes may share their buffer with other parts. Rejects with what the browser throws. */
  read(offset: number, size: number): Promise<Uint8Array> {
    return this.#reads.read({ offset, size })
  }
}

/** The oldest, and those that follow it in the file without a gap. */
function neighbours(waiting: readonly { request: Part }[]): number {
  let start: number | undefined
  let end = 0
  let count = 0
  for (const { request } of waiting) {
    const { offset, size } = request
    start ??= end = offset
    if (offset !== end || (count > 0 && end + size - start > LIMITS.fileReadBytes)) break
    end += size
    count++
  }
  return count
}
