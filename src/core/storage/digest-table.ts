const DIGEST_WORDS = 8
const SHA2_256_BYTES = 34
const MIN_ROWS = 256

/**
 * SHA2-256 digests in dense rows (the last one moves into a hole), found by open addressing. Nothing in here is an object
 * of its own: the engine's garbage collector has nothing to walk.
 */
export class DigestTable {
  rows = 0
  #digests = new Uint32Array(MIN_ROWS * DIGEST_WORDS)
  /** Row + 1 by hash, 0 where free; linear probing. Twice the rows or more. */
  #slots = new Uint32Array(MIN_ROWS * 2)
  readonly #probe = new Uint32Array(DIGEST_WORDS)
  readonly #probeBytes = new Uint8Array(this.#probe.buffer)
  /** Digests are an attacker's choice: without seeds they could all be made to fall into one slot. */
  readonly #seeds = crypto.getRandomValues(new Uint32Array(2))

  /** Rows there is room for; doubles when they are used up. */
  get capacity(): number {
    return this.#slots.length / 2
  }

  /** The row of a multihash, -1 where there is none. */
  find(multihash: Uint8Array): number {
    const slot = this.#find(multihash, 0)
    return slot < 0 ? -1 : (this.#slots[slot] ?? 0) - 1
  }

  /** The row of the multihash at `at` in `bytes`: its own, or a new one, `rows` is one more then. */
  put(bytes: Uint8Array, at = 0): number {
    if (this.rows === this.capacity) this.#grow()
    const slot = this.#find(bytes, at)
    if (slot >= 0) return (this.#slots[slot] ?? 0) - 1
    const base = this.rows * DIGEST_WORDS
    for (let word = 0; word < DIGEST_WORDS; word++) this.#digests[base + word] = this.#probe[word] ?? 0
    this.#slots[~slot] = ++this.rows
    return this.rows - 1
  }

  /** Frees a row. The last one, whose old number is `rows` now, has moved into it. */
  remove(multihash: Uint8Array): number {
    const slot = this.#find(multihash, 0)
    const row = (this.#slots[slot] ?? 0) - 1
    this.#free(slot)
    const last = --this.rows
    if (row === last) return row
    this.#probe.set(this.#digests.subarray(last * DIGEST_WORDS, (last + 1) * DIGEST_WORDS))
    this.#slots[this.#seek()] = row + 1
    this.#digests.copyWithin(row * DIGEST_WORDS, last * DIGEST_WORDS, (last + 1) * DIGEST_WORDS)
    return row
  }

  multihash(row: number): Uint8Array {
    const multihash = new Uint8Array(SHA2_256_BYTES)
    multihash.set([0x12, 0x20])
    multihash.set(new Uint8Array(this.#digests.buffer, row * DIGEST_WORDS * 4, DIGEST_WORDS * 4), 2)
    return multihash
  }

  clear(): void {
    this.rows = 0
    this.#slots.fill(0)
  }

  /** The slot of a multihash, or `~slot` of the free one where it would go. */
  #find(bytes: Uint8Array, at: number): number {
    // Byte by byte: a view of its own for each of 200,000 costs a start several times as much.
    for (let byte = 0; byte < DIGEST_WORDS * 4; byte++) this.#probeBytes[byte] = bytes[at + 2 + byte] ?? 0
    return this.#seek()
  }

  #seek(): number {
    const mask = this.#slots.length - 1
    for (let slot = this.#hash(this.#probe, 0) & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot] ?? 0
      if (row === 0) return ~slot
      if (this.#isProbe((row - 1) * DIGEST_WORDS)) return slot
    }
  }

  #isProbe(base: number): boolean {
    for (let word = 0; word < DIGEST_WORDS; word++) {
      if (this.#digests[base + word] !== this.#probe[word]) return false
    }
    return true
  }

  #hash(words: Uint32Array, base: number): number {
    const low = Math.imul((words[base] ?? 0) ^ (this.#seeds[0] ?? 0), 0x9e3779b1)
    const high = Math.imul((words[base + 1] ?? 0) ^ (this.#seeds[1] ?? 0), 0x85ebca77)
    const mixed = low ^ (high >>> 13) ^ (high << 7)
    return mixed ^ (mixed >>> 16)
  }

  /** Closes the gap behind a deleted slot (Knuth 6.4, algorithm R), so that no tombstones pile up. */
  #free(hole: number): void {
    const mask = this.#slots.length - 1
    let slot = hole
    for (;;) {
      slot = (slot + 1) & mask
      const row = this.#slots[slot] ?? 0
      if (row === 0) break
      const home = this.#hash(this.#digests, (row - 1) * DIGEST_WORDS) & mask
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      this.#slots[hole] = row
      hole = slot
    }
    this.#slots[hole] = 0
  }

  #grow(): void {
    const digests = new Uint32Array(this.#digests.length * 2)
    digests.set(this.#digests)
    this.#digests = digests
    this.#slots = new Uint32Array(this.#slots.length * 2)
    const mask = this.#slots.length - 1
    for (let row = 0; row < this.rows; row++) {
      let slot = this.#hash(this.#digests, row * DIGEST_WORDS) & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = row + 1
    }
  }
}

/** Whether the table can hold it. */
export function isSha256(multihash: Uint8Array): boolean {
  return isSha256At(multihash, 0, multihash.byteLength)
}

/** The same of a multihash of `length` bytes at `at` in `bytes`. */
export function isSha256At(bytes: Uint8Array, at: number, length: number): boolean {
  return length === SHA2_256_BYTES && bytes[at] === 0x12 && bytes[at + 1] === 0x20
}
