import { DigestTable, isSha256, isSha256At } from './digest-table.ts'

/** Where a block is and how long it is. */
export interface BlockLocation {
  /** Bytes. */
  size: number
  /** Id of the file that holds it; 0 where it is a value of its own. */
  file: number
  /** Where it begins in that file, in bytes. */
  offset: number
}

/** A block with its place, as the index and the log give it. */
export interface IndexEntry {
  multihash: Uint8Array
  location: BlockLocation
}

/** What is known of a block until it is written anew or the store is closed. */
const FLAGS = {
  /** Its bytes were compared with its hash. */
  checked: 1,
  /** The walk that is under way has seen it. */
  walked: 2,
  /** It links to nothing. */
  leaf: 4,
  /** It is to go as soon as nothing needs it. */
  doomed: 8,
} as const

export type Flag = keyof typeof FLAGS

interface OtherRow {
  location: BlockLocation
  flags: number
  used: number
}

/**
 * Every block of the store in memory: 65 bytes each when full, twice that just after growing. SHA2-256 is kept in
 * columns; the few blocks with other hashes are in a Map.
 */
export class BlockIndex {
  blocks = 0
  bytes = 0
  /** Moves on with every block that is written or used: by it blocks are the least recently used ones. */
  clock = 0
  /** References and their bytes by file. */
  readonly files = new Map<number, { refs: number; bytes: number }>()

  readonly #table = new DigestTable()
  #sizes = new Uint32Array(this.#table.capacity)
  #files = new Uint32Array(this.#table.capacity)
  #offsets = new Float64Array(this.#table.capacity)
  #flags = new Uint8Array(this.#table.capacity)
  /** When it was written or used last, on `clock`. */
  #used = new Float64Array(this.#table.capacity)
  readonly #others = new Map<string, OtherRow>()

  has(multihash: Uint8Array): boolean {
    return isSha256(multihash) ? this.#table.find(multihash) >= 0 : this.#others.has(otherKey(multihash))
  }

  get(multihash: Uint8Array): BlockLocation | undefined {
    if (!isSha256(multihash)) return this.#others.get(otherKey(multihash))?.location
    const row = this.#table.find(multihash)
    return row < 0 ? undefined : this.#location(row)
  }

  /** A block that is there already counts as written anew. */
  set(multihash: Uint8Array, { size, file, offset }: BlockLocation): void {
    this.setAt(multihash, 0, multihash.byteLength, size, file, offset)
  }

  /** The same for a multihash of `length` bytes at `at` in a page of the log: nothing is made for each of its entries. */
  setAt(bytes: Uint8Array, at: number, length: number, size: number, file: number, offset: number): void {
    const used = ++this.clock
    if (!isSha256At(bytes, at, length)) {
      const key = otherKey(bytes.subarray(at, at + length))
      const before = this.#others.get(key)?.location
      if (before !== undefined) this.#count(before.size, before.file, -1)
      this.#count(size, file, 1)
      this.#others.set(key, { location: { size, file, offset }, flags: 0, used })
      return
    }
    const rows = this.#table.rows
    const row = this.#table.put(bytes, at)
    if (this.#table.capacity > this.#sizes.length) this.#grow()
    if (this.#table.rows === rows) this.#count(this.#sizes[row] ?? 0, this.#files[row] ?? 0, -1)
    this.#count(size, file, 1)
    this.#sizes[row] = size
    this.#files[row] = file
    this.#offsets[row] = offset
    this.#flags[row] = 0
    this.#used[row] = used
  }

  /** Like `has`, and notes a use. */
  use(multihash: Uint8Array): boolean {
    if (isSha256(multihash)) {
      const row = this.#table.find(multihash)
      if (row >= 0) this.#used[row] = ++this.clock
      return row >= 0
    }
    const other = this.#others.get(otherKey(multihash))
    if (other !== undefined) other.used = ++this.clock
    return other !== undefined
  }

  /** When it was written or used last, on `clock`; undefined where it is not there. */
  usedAt(multihash: Uint8Array): number | undefined {
    if (!isSha256(multihash)) return this.#others.get(otherKey(multihash))?.used
    const row = this.#table.find(multihash)
    return row < 0 ? undefined : this.#used[row]
  }

  is(multihash: Uint8Array, flag: Flag): boolean {
    const row = isSha256(multihash) ? this.#table.find(multihash) : -1
    const flags = row < 0 ? this.#others.get(otherKey(multihash))?.flags : this.#flags[row]
    return ((flags ?? 0) & FLAGS[flag]) !== 0
  }

  mark(multihash: Uint8Array, flag: Flag, on = true): void {
    const change = (flags: number) => (on ? flags | FLAGS[flag] : flags & ~FLAGS[flag])
    if (isSha256(multihash)) {
      const row = this.#table.find(multihash)
      if (row >= 0) this.#flags[row] = change(this.#flags[row] ?? 0)
      return
    }
    const other = this.#others.get(otherKey(multihash))
    if (other !== undefined) other.flags = change(other.flags)
  }

  /** Takes a flag from every block. */
  unmarkAll(flag: Flag): void {
    for (let row = 0; row < this.#table.rows; row++) this.#flags[row] = (this.#flags[row] ?? 0) & ~FLAGS[flag]
    for (const other of this.#others.values()) other.flags &= ~FLAGS[flag]
  }

  delete(multihash: Uint8Array): void {
    const before = this.get(multihash)
    if (before === undefined) return
    this.#count(before.size, before.file, -1)
    if (!isSha256(multihash)) {
      this.#others.delete(otherKey(multihash))
      return
    }
    const row = this.#table.remove(multihash)
    const last = this.#table.rows
    this.#sizes[row] = this.#sizes[last] ?? 0
    this.#files[row] = this.#files[last] ?? 0
    this.#offsets[row] = this.#offsets[last] ?? 0
    this.#flags[row] = this.#flags[last] ?? 0
    this.#used[row] = this.#used[last] ?? 0
  }

  clear(): void {
    this.blocks = this.bytes = 0
    this.files.clear()
    this.#others.clear()
    this.#table.clear()
  }

  /**
   * Every block, or those not used at `before` or later, of these those with the flag. What is added or deleted meanwhile
   * may or may not be seen.
   */
  *entries(before = Infinity, flag?: Flag): Generator<IndexEntry> {
    const wanted = flag === undefined ? 0 : FLAGS[flag]
    // From the end: a deletion moves the last row into the hole, so nothing that stays is passed over.
    for (let row = this.#table.rows - 1; row >= 0; row = Math.min(row, this.#table.rows) - 1) {
      if ((this.#used[row] ?? 0) < before && ((this.#flags[row] ?? 0) & wanted) === wanted) yield this.#entry(row)
    }
    for (const [key, { location, flags, used }] of this.#others) {
      if (used < before && (flags & wanted) === wanted) yield { multihash: ofOtherKey(key), location }
    }
  }

  /** What was not used at `before` or later, least recently used first. Nothing may change meanwhile. */
  *byUse(before = Infinity): Generator<IndexEntry> {
    const used = this.#used
    // Time and row in one number: sorting numbers needs no function, which takes ten times as long.
    const rows = this.#table.capacity
    const found = new Float64Array(this.#table.rows)
    let count = 0
    for (let row = 0; row < found.length; row++) {
      const time = used[row] ?? 0
      if (time < before) found[count++] = time * rows + row
    }
    // The few with other hashes are woven in.
    const others = [...this.#others].filter(([, other]) => other.used < before).sort(([, a], [, b]) => a.used - b.used)
    let next = 0
    for (const timeAndRow of found.subarray(0, count).sort()) {
      const row = timeAndRow % rows
      for (let other = others[next]; other !== undefined && other[1].used < (used[row] ?? 0); other = others[++next]) {
        yield { multihash: ofOtherKey(other[0]), location: other[1].location }
      }
      yield this.#entry(row)
    }
    for (const [key, { location }] of others.slice(next)) yield { multihash: ofOtherKey(key), location }
  }

  #entry(row: number): IndexEntry {
    return { multihash: this.#table.multihash(row), location: this.#location(row) }
  }

  #location(row: number): BlockLocation {
    return { size: this.#sizes[row] ?? 0, file: this.#files[row] ?? 0, offset: this.#offsets[row] ?? 0 }
  }

  #count(size: number, file: number, sign: 1 | -1): void {
    this.blocks += sign
    this.bytes += sign * size
    if (file === 0) return
    const counted = this.files.get(file) ?? { refs: 0, bytes: 0 }
    counted.refs += sign
    counted.bytes += sign * size
    if (counted.refs === 0) this.files.delete(file)
    else this.files.set(file, counted)
  }

  #grow(): void {
    const rows = this.#table.capacity
    this.#sizes = copyInto(new Uint32Array(rows), this.#sizes)
    this.#files = copyInto(new Uint32Array(rows), this.#files)
    this.#offsets = copyInto(new Float64Array(rows), this.#offsets)
    this.#flags = copyInto(new Uint8Array(rows), this.#flags)
    this.#used = copyInto(new Float64Array(rows), this.#used)
  }
}

function copyInto<T extends Uint8Array | Uint32Array | Float64Array>(target: T, source: T): T {
  target.set(source)
  return target
}

function otherKey(multihash: Uint8Array): string {
  return String.fromCharCode(...multihash)
}

function ofOtherKey(key: string): Uint8Array {
  return Uint8Array.from(key, (char) => char.charCodeAt(0))
}
