import { ByteList } from './byte-list.ts'
import type { FlatReader, FlatSections } from './flat-file.ts'
import { RadixOrder } from './radix-order.ts'

const SLOTS_AT_FIRST = 1 << 12
const LOAD_MAX = 0.6
const PROBE_BYTES = 1024
/** Words that `sorted` works in, for each string. */
export const SORT_WORDS = RadixOrder.WORDS + 2

/** Slots that a table of `count` strings has room in. */
export function slotCountFor(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(SLOTS_AT_FIRST, (count + 1) / LOAD_MAX)))
}

/**
 * Numbers of byte strings 0, 1, 2, … in order of first sight, in flat arrays that another made (`assembly/byte-table.ts`,
 * `IdFile`): an open-addressing hash table whose slots hold number + 1. A million product ids cost some 20 bytes each, where a
 * JS Map costs over 100 and keeps the collector busy.
 */
export class ByteTable {
  readonly strings: ByteList
  readonly #slots: Uint32Array
  /** Where a text looked for is written. */
  readonly #probe = Buffer.alloc(PROBE_BYTES)

  constructor(strings: ByteList, slots: Uint32Array) {
    this.strings = strings
    this.#slots = slots
  }

  /** A table saved by `sections` under `prefix`: its arrays are views of the file. */
  static load(reader: FlatReader, prefix: string): ByteTable {
    return new ByteTable(
      new ByteList(reader.u8(`${prefix}.bytes`), reader.u32(`${prefix}.ends`)),
      reader.u32(`${prefix}.slots`),
    )
  }

  sections(prefix: string): FlatSections {
    return {
      [`${prefix}.bytes`]: this.strings.bytes.subarray(0, this.strings.byteCount),
      [`${prefix}.ends`]: this.strings.ends.subarray(0, this.count),
      [`${prefix}.slots`]: this.#slots,
    }
  }

  get count(): number {
    return this.strings.count
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
    return this.strings.text(number)
  }

  /** Order of string `number`, cut to the prefix's length, against `prefix`: 0 where it starts with it. */
  comparePrefix(number: number, prefix: Uint8Array): number {
    const start = this.strings.start(number)
    const length = this.strings.ends[number]! - start
    const shared = Math.min(length, prefix.length)
    for (let i = 0; i < shared; i++) {
      const difference = this.strings.bytes[start + i]! - prefix[i]!
      if (difference !== 0) return difference
    }
    return shared === prefix.length ? 0 : -1
  }

  /**
   * All numbers in the order of their strings' bytes. `memory` is what it works in, `SORT_WORDS` for each string, and holds what
   * is answered.
   */
  sorted(memory: Uint32Array = new Uint32Array(SORT_WORDS * this.count)): Uint32Array {
    const { strings, count } = this
    const order = new RadixOrder(count, memory)
    const column = (n: number) =>
      memory.subarray((RadixOrder.WORDS + n) * count, (RadixOrder.WORDS + n + 1) * count)
    strings.order(order, column(0), column(1))
    return order.rows
  }

  #slotOf(source: Uint8Array, from: number, to: number): number {
    const slots = this.#slots
    const { bytes, ends } = this.strings
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
}

/** FNV-1a, 32 bits, with a final mix, as its low bits alone spread badly (Fowler, Noll, Vo; MurmurHash3 finalizer). */
function hash(bytes: Uint8Array, from: number, to: number): number {
  let value = 0x811c9dc5
  for (let i = from; i < to; i++) value = Math.imul(value ^ bytes[i]!, 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  return value ^ (value >>> 13)
}
