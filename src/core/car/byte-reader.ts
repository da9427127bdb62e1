import { PocketError } from '../../shared/errors.ts'

/** Reads exact numbers of bytes from chunks of any size, and buffers no more than was asked for and one chunk. */
export interface ByteReader {
  /** Exactly `length` bytes; undefined at the end of the source when nothing is left. @throws ERR_INVALID_CAR if cut */
  read(length: number): Promise<Uint8Array | undefined>
  /** An unsigned LEB128 number; undefined at the end of the source. @throws ERR_INVALID_CAR */
  varint(): Promise<number | undefined>
  /** Bytes taken so far. */
  readonly position: number
}

export function createByteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const chunks = source[Symbol.asyncIterator]()
  let chunk = new Uint8Array()
  let at = 0
  let position = 0

  /** False at the end of the source. */
  async function more(): Promise<boolean> {
    while (at === chunk.byteLength) {
      const next = await chunks.next()
      if (next.done === true) return false
      chunk = next.value as Uint8Array<ArrayBuffer>
      at = 0
    }
    return true
  }

  async function byte(): Promise<number | undefined> {
    if (at === chunk.byteLength && !(await more())) return undefined
    position++
    return chunk[at++]
  }

  return {
    get position() {
      return position
    },
    async read(length) {
      if (length === 0) return new Uint8Array()
      if (!(await more())) return undefined
      // Within one chunk: a view, no copy.
      if (chunk.byteLength - at >= length) {
        const view = chunk.subarray(at, at + length)
        at += length
        position += length
        return view
      }
      const bytes = new Uint8Array(length)
      let filled = 0
      while (filled < length) {
        if (!(await more())) throw cut()
        const part = chunk.subarray(at, at + length - filled)
        bytes.set(part, filled)
        filled += part.byteLength
        at += part.byteLength
        position += part.byteLength
      }
      return bytes
    },
    async varint() {
      let value = 0
      // 7 groups of 7 bits: 49 bits, more than any length that a limit lets pass.
      for (let shift = 0; shift < 49; shift += 7) {
        const next = await byte()
        if (next === undefined) {
          if (shift === 0) return undefined
          throw cut()
        }
        value += (next & 0x7f) * 2 ** shift
        if ((next & 0x80) === 0) return value
      }
      throw new PocketError('ERR_INVALID_CAR', 'A length has too many digits')
    },
  }
}

function cut(): PocketError {
  return new PocketError('ERR_INVALID_CAR', 'It ends in the middle of a section', { detail: { cut: true } })
}
