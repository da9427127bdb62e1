import { LIMITS } from '../../shared/limits.ts'

interface Waiting {
  offset: number
  size: number
  resolve: (bytes: Uint8Array) => void
  reject: (error: unknown) => void
}

/**
 * Reads parts of one file, neighbours together: Chromium reads 4 MiB at once 1.6 times as fast as four times 1 MiB, with
 * two thirds of the CPU (ADR 3). A lone read waits for nothing; those that come while others run are gathered.
 */
export class FileReads {
  readonly #blob: Blob
  #waiting: Waiting[] = []
  #running = 0
  #scheduled = false

  constructor(blob: Blob) {
    this.#blob = blob
  }

  /** The bytes may share their buffer with other parts. Rejects with what the browser throws. */
  read(offset: number, size: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ offset, size, resolve, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      queueMicrotask(() => {
        this.#scheduled = false
        this.#start()
      })
    })
  }

  #start(): void {
    while (this.#waiting.length > 0 && this.#running < LIMITS.fileReads) void this.#run(this.#take())
  }

  /** The oldest, and those that follow it in the file without a gap. */
  #take(): Waiting[] {
    const first = this.#waiting[0] as Waiting
    let end = first.offset
    let count = 0
    for (const { offset, size } of this.#waiting) {
      if (offset !== end || (count > 0 && end + size - first.offset > LIMITS.fileReadBytes)) break
      end += size
      count++
    }
    return this.#waiting.splice(0, count)
  }

  async #run(parts: Waiting[]): Promise<void> {
    this.#running++
    const [first] = parts as [Waiting]
    try {
      const last = parts.at(-1) as Waiting
      const bytes = await this.#blob.slice(first.offset, last.offset + last.size).arrayBuffer()
      for (const { offset, size, resolve } of parts) resolve(new Uint8Array(bytes, offset - first.offset, size))
    } catch (error) {
      for (const { reject } of parts) reject(error)
    } finally {
      this.#running--
      this.#start()
    }
  }
}
