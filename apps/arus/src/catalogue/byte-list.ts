import type { RadixOrder } from './radix-order.ts'

/** Byte strings numbered 0, 1, 2, … as they came, one after another in one array. */
export class ByteList {
  readonly bytes: Uint8Array
  readonly ends: Uint32Array

  /** String n is `bytes[ends[n - 1], ends[n])`. */
  constructor(bytes: Uint8Array, ends: Uint32Array) {
    this.bytes = bytes
    this.ends = ends
  }

  get count(): number {
    return this.ends.length
  }

  start(number: number): number {
    return number === 0 ? 0 : this.ends[number - 1]!
  }

  /** Bytes of all strings together. */
  get byteCount(): number {
    return this.start(this.count)
  }

  text(number: number): string {
    const { buffer, byteOffset, byteLength } = this.bytes
    return Buffer.from(buffer, byteOffset, byteLength).toString(
      'utf8',
      this.start(number),
      this.ends[number]!,
    )
  }

  /** Puts all numbers in the order of their strings' bytes. The columns get the first eight of these: see `#fourBytes`. */
  order(order: RadixOrder, heads: Uint32Array, tails: Uint32Array): void {
    order.by(this.#fourBytes(4, tails))
    order.by(this.#fourBytes(0, heads))
    // Eight bytes settle almost every tie, and for a fraction of what comparing costs.
    order.settle([heads, tails], (left, right) => this.compare(left, right))
  }

  /**
   * The bytes `offset` to `offset + 4` of all strings as numbers that order as they do; 0 beyond a string's end, so that a string
   * and one longer by bytes of 0 may be equal. They are written to `values`.
   */
  #fourBytes(offset: number, values: Uint32Array): Uint32Array {
    const { bytes, ends } = this
    for (let number = 0; number < values.length; number++) {
      const from = this.start(number) + offset
      const end = ends[number]!
      let value = 0
      for (let at = from; at < from + 4; at++) value = (value << 8) | (at < end ? bytes[at]! : 0)
      values[number] = value
    }
    return values
  }

  /** Order of two strings by their bytes. */
  compare(left: number, right: number): number {
    const bytes = this.bytes
    let a = this.start(left)
    let b = this.start(right)
    const aEnd = this.ends[left]!
    const bEnd = this.ends[right]!
    while (a < aEnd && b < bEnd) {
      const difference = bytes[a++]! - bytes[b++]!
      if (difference !== 0) return difference
    }
    return aEnd - a - (bEnd - b)
  }
}
