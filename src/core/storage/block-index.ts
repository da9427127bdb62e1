/** Where a block is and how long it is. */
export interface BlockLocation {
  /** Bytes. */
  size: number
  /** Id of the file that holds it; 0 where it is a value of its own. */
  file: number
  /** Where it begins in that file, in bytes. */
  offset: number
}

const DIGEST_WORDS = 8
const SHA2_256_BYTES = 34
const MIN_ROWS = 256

/**
 * Every block of the store in memory: 57 bytes each when full, twice that just after growing, and nothing for the
 * garbage collector to walk. Rows are dense (the last one moves into a hole), `#slots` hashes digests to rows.
 * SHA2-256 is kept here; the few blocks with other hashes are in a Map.
 */
export class BlockIndex {
  blocks = 0
  bytes = 0
  /** References and their bytes by file. */
  readonly files = new Map<number, { refs: number; bytes: number }>()

  #rows = 0
  #digests = new Uint32Array(MIN_ROWS * DIGEST_WORDS)
  #sizes = new Uint32Array(MIN_ROWS)
  #files = new Uint32Array(MIN_ROWS)
  #offsets = new Float64Array(MIN_ROWS)
  /** 1 where the bytes have been hashed since the start. */
  #checked = new Uint8Array(MIN_ROWS)
  /** Row + 1 by hash, 0 where free; linear probing. Twice the rows or more. */
  #slots = new Uint32Array(MIN_ROWS * 2)
  readonly #others = new Map<string, BlockLocation>()
  readonly #probe = new Uint32Array(DIGEST_WORDS)
  readonly #probeBytes = new Uint8Array(this.#probe.buffer)
  /** Digests are an attacker's choice: without seeds they could all be made to fall into one slot. */
  readonly #seeds = crypto.getRandomValues(new Uint32Array(2))

  has(multihash: Uint8Array): boolean {
    return isSha256(multihash) ? this.#find(multihash) >= 0 : this.#others.has(otherKey(multihash))
  }

  get(multihash: Uint8Array): BlockLocation | undefined {
    if (!isSha256(multihash)) return this.#others.get(otherKey(multihash))
    const slot = this.#find(multihash)
    return slot < 0 ? undefined : this.#location((this.#slots[slot] ?? 0) - 1)
  }

  set(multihash: Uint8Array, location: BlockLocation): void {
    const before = this.get(multihash)
    if (before !== undefined) this.#count(before, -1)
    this.#count(location, 1)
    if (!isSha256(multihash)) {
      this.#others.set(otherKey(multihash), { ...location })
      return
    }
    let slot = this.#find(multihash)
    if (slot < 0) {
      if (this.#rows === this.#sizes.length) {
        this.#grow()
        slot = this.#find(multihash)
      }
      slot = ~slot
      this.#digests.set(this.#probe, this.#rows * DIGEST_WORDS)
      this.#slots[slot] = ++this.#rows
    }
    const row = (this.#slots[slot] ?? 0) - 1
    this.#sizes[row] = location.size
    this.#files[row] = location.file
    this.#offsets[row] = location.offset
    this.#checked[row] = 0
  }

  /** Whether the bytes of a block were compared with its hash since the store was opened. */
  isChecked(multihash: Uint8Array): boolean {
    const slot = isSha256(multihash) ? this.#find(multihash) : -1
    return slot >= 0 && this.#checked[(this.#slots[slot] ?? 0) - 1] === 1
  }

  setChecked(multihash: Uint8Array): void {
    const slot = isSha256(multihash) ? this.#find(multihash) : -1
    if (slot >= 0) this.#checked[(this.#slots[slot] ?? 0) - 1] = 1
  }

  delete(multihash: Uint8Array): void {
    const before = this.get(multihash)
    if (before === undefined) return
    this.#count(before, -1)
    if (!isSha256(multihash)) {
      this.#others.delete(otherKey(multihash))
      return
    }
    const slot = this.#find(multihash)
    const row = (this.#slots[slot] ?? 0) - 1
    this.#free(slot)
    const last = --this.#rows
    if (row === last) return
    this.#probe.set(this.#digests.subarray(last * DIGEST_WORDS, (last + 1) * DIGEST_WORDS))
    this.#slots[this.#seek()] = row + 1
    this.#digests.copyWithin(row * DIGEST_WORDS, last * DIGEST_WORDS, (last + 1) * DIGEST_WORDS)
    this.#sizes[row] = this.#sizes[last] ?? 0
    this.#files[row] = this.#files[last] ?? 0
    this.#offsets[row] = this.#offsets[last] ?? 0
    this.#checked[row] = this.#checked[last] ?? 0
  }

  clear(): void {
    this.blocks = this.bytes = this.#rows = 0
    this.files.clear()
    this.#others.clear()
    this.#slots.fill(0)
  }

  /** Every block; what is added or deleted meanwhile may or may not be seen. */
  *entries(): Generator<{ multihash: Uint8Array; location: BlockLocation }> {
    // From the end: a deletion moves the last row into the hole, so nothing that stays is passed over.
    for (let row = this.#rows - 1; row >= 0; row = Math.min(row, this.#rows) - 1) {
      const multihash = new Uint8Array(SHA2_256_BYTES)
      multihash.set([0x12, 0x20])
      multihash.set(new Uint8Array(this.#digests.buffer, row * DIGEST_WORDS * 4, DIGEST_WORDS * 4), 2)
      yield { multihash, location: this.#location(row) }
    }
    for (const [key, location] of this.#others) {
      yield { multihash: Uint8Array.from(key, (char) => char.charCodeAt(0)), location }
    }
  }

  #location(row: number): BlockLocation {
    return { size: this.#sizes[row] ?? 0, file: this.#files[row] ?? 0, offset: this.#offsets[row] ?? 0 }
  }

  #count({ size, file }: BlockLocation, sign: 1 | -1): void {
    this.blocks += sign
    this.bytes += sign * size
    if (file === 0) return
    const counted = this.files.get(file) ?? { refs: 0, bytes: 0 }
    counted.refs += sign
    counted.bytes += sign * size
    if (counted.refs === 0) this.files.delete(file)
    else this.files.set(file, counted)
  }

  /** The slot of a multihash, or `~slot` of the free one where it would go. */
  #find(multihash: Uint8Array): number {
    this.#probeBytes.set(multihash.subarray(2))
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
    const rows = this.#sizes.length * 2
    this.#digests = copyInto(new Uint32Array(rows * DIGEST_WORDS), this.#digests)
    this.#sizes = copyInto(new Uint32Array(rows), this.#sizes)
    this.#files = copyInto(new Uint32Array(rows), this.#files)
    this.#offsets = copyInto(new Float64Array(rows), this.#offsets)
    this.#checked = copyInto(new Uint8Array(rows), this.#checked)
    this.#slots = new Uint32Array(rows * 2)
    const mask = this.#slots.length - 1
    for (let row = 0; row < this.#rows; row++) {
      let slot = this.#hash(this.#digests, row * DIGEST_WORDS) & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = row + 1
    }
  }
}

function copyInto<T extends Uint8Array | Uint32Array | Float64Array>(target: T, source: T): T {
  target.set(source)
  return target
}

function isSha256(multihash: Uint8Array): boolean {
  return multihash.byteLength === SHA2_256_BYTES && multihash[0] === 0x12 && multihash[1] === 0x20
}

function otherKey(multihash: Uint8Array): string {
  return String.fromCharCode(...multihash)
}
