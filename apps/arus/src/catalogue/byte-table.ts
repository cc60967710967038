import type { FlatReader, FlatSections } from './flat-file.ts'

const SLOTS_AT_FIRST = 1 << 12
const LOAD_MAX = 0.6
const PROBE_BYTES = 1024

/**
 * Numbers byte strings 0, 1, 2, … in order of first sight, in flat arrays: an open-addressing hash table whose slots hold
 * number + 1. A million product ids cost some 20 bytes each, where a JS Map costs over 100 and keeps the collector busy.
 */
export class ByteTable {
  #bytes: Uint8Array
  /** `#ends[n]` is where string n ends; it begins where n - 1 ends. */
  #ends: Uint32Array
  #slots: Uint32Array
  #count: number
  /** Where a text looked for is written. */
  readonly #probe = Buffer.alloc(PROBE_BYTES)

  constructor(bytes?: Uint8Array, ends?: Uint32Array, slots?: Uint32Array) {
    this.#bytes = bytes ?? new Uint8Array(1 << 16)
    this.#ends = ends ?? new Uint32Array(1 << 12)
    this.#slots = slots ?? new Uint32Array(SLOTS_AT_FIRST)
    this.#count = ends?.length ?? 0
  }

  /** A table saved by `sections` under `prefix`; read-only in effect, as its arrays are views of the file. */
  static load(reader: FlatReader, prefix: string): ByteTable {
    return new ByteTable(
      reader.u8(`${prefix}.bytes`),
      reader.u32(`${prefix}.ends`),
      reader.u32(`${prefix}.slots`),
    )
  }

  sections(prefix: string): FlatSections {
    return {
      [`${prefix}.bytes`]: this.#bytes.subarray(0, this.#count === 0 ? 0 : this.#ends[this.#count - 1]!),
      [`${prefix}.ends`]: this.#ends.subarray(0, this.#count),
      [`${prefix}.slots`]: this.#slots,
    }
  }

  get count(): number {
    return this.#count
  }

  /** Number of the string in `source[from, to)`, given a number when it is new. */
  intern(source: Uint8Array, from: number, to: number): number {
    if (this.#count >= this.#slots.length * LOAD_MAX) this.#growSlots()
    const slot = this.#slotOf(source, from, to)
    const seen = this.#slots[slot]!
    if (seen !== 0) return seen - 1
    const number = this.#append(source, from, to)
    this.#slots[slot] = number + 1
    return number
  }

  /** Number of a string, or -1. */
  findText(text: string): number {
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    if (text.length * 3 > PROBE_BYTES) return this.#find(Buffer.from(text), Buffer.byteLength(text))
    return this.#find(this.#probe, this.#probe.write(text))
  }

  #find(source: Uint8Array, length: number): number {
    return this.#slots[this.#slotOf(source, 0, length)]! - 1
  }

  text(number: number): string {
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength).toString(
      'utf8',
      this.#start(number),
      this.#ends[number]!,
    )
  }

  /** Order of two strings by their bytes. */
  compare(left: number, right: number): number {
    const bytes = this.#bytes
    let a = this.#start(left)
    let b = this.#start(right)
    const aEnd = this.#ends[left]!
    const bEnd = this.#ends[right]!
    while (a < aEnd && b < bEnd) {
      const difference = bytes[a++]! - bytes[b++]!
      if (difference !== 0) return difference
    }
    return aEnd - a - (bEnd - b)
  }

  /** Order of string `number`, cut to the prefix's length, against `prefix`: 0 where it starts with it. */
  comparePrefix(number: number, prefix: Uint8Array): number {
    const start = this.#start(number)
    const length = this.#ends[number]! - start
    const shared = Math.min(length, prefix.length)
    for (let i = 0; i < shared; i++) {
      const difference = this.#bytes[start + i]! - prefix[i]!
      if (difference !== 0) return difference
    }
    return shared === prefix.length ? 0 : -1
  }

  #start(number: number): number {
    return number === 0 ? 0 : this.#ends[number - 1]!
  }

  #slotOf(source: Uint8Array, from: number, to: number): number {
    const slots = this.#slots
    const ends = this.#ends
    const bytes = this.#bytes
    const mask = slots.length - 1
    const length = to - from
    let slot = hash(source, from, to) & mask
    for (;;) {
      const seen = slots[slot]!
      if (seen === 0) return slot
      const start = seen === 1 ? 0 : ends[seen - 2]!
      if (ends[seen - 1]! - start === length) {
        let i = 0
        while (i < length && bytes[start + i] === source[from + i]) i++
        if (i === length) return slot
      }
      slot = (slot + 1) & mask
    }
  }

  #append(source: Uint8Array, from: number, to: number): number {
    const number = this.#count++
    const start = this.#start(number)
    const end = start + to - from
    if (number >= this.#ends.length) {
      const grown = new Uint32Array(this.#ends.length * 2)
      grown.set(this.#ends)
      this.#ends = grown
    }
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, end))
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    for (let i = from; i < to; i++) this.#bytes[start + i - from] = source[i]!
    this.#ends[number] = end
    return number
  }

  #growSlots(): void {
    const slots = new Uint32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    for (let number = 0; number < this.#count; number++) {
      let slot = hash(this.#bytes, this.#start(number), this.#ends[number]!) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = number + 1
    }
    this.#slots = slots
  }
}

/** FNV-1a, 32 bits, with a final mix, as its low bits alone spread badly (Fowler, Noll, Vo; MurmurHash3 finalizer). */
function hash(bytes: Uint8Array, from: number, to: number): number {
  let value = 0x811c9dc5
  for (let i = from; i < to; i++) value = Math.imul(value ^ bytes[i]!, 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  return value ^ (value >>> 13)
}
