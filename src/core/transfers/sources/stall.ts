import { LIMITS } from '../../../shared/limits.ts'

export interface StallWatch {
  /** Passes bytes on. Storing them may take its time: only waiting for the next ones counts. */
  over(bytes: AsyncIterable<Uint8Array>, onChunk: (bytes: number) => void): AsyncGenerator<Uint8Array, void>
  stop(): void
}

/** Calls back when fewer than LIMITS.stallBytes come in `ms` of waiting: a trickle holds a place as silence does. */
export function stallWatch(onStall: () => void, ms: number): StallWatch {
  let left = ms
  let since = Date.now()
  let came = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  const wait = (): void => {
    since = Date.now()
    timer = setTimeout(onStall, left)
  }
  const stop = (): void => clearTimeout(timer)
  wait()
  return {
    stop,
    async *over(bytes, onChunk) {
      for await (const chunk of bytes) {
        stop()
        onChunk(chunk.byteLength)
        left -= Date.now() - since
        came += chunk.byteLength
        if (came >= LIMITS.stallBytes) {
          came = 0
          left = ms
        }
        yield chunk
        wait()
      }
    },
  }
}
