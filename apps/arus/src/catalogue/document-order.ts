import type { ByteList } from './byte-list.ts'
import type { ColumnFile } from './column-file.ts'
import { MergedRuns, RECORD_WORDS } from './merged-runs.ts'
import { RadixOrder } from './radix-order.ts'
import { SpillFile } from './spill-file.ts'

/** What products are ordered by, each by the number of its line. */
export interface OrderKeys {
  readonly popularity: ColumnFile<Float32Array>
  /** NaN for none. */
  readonly stars: ColumnFile<Float64Array>
  /** 1 for a best seller. */
  readonly isBestSeller: ColumnFile<Uint8Array>
  readonly ids: ByteList
  /** A new file for what there is no memory for; the caller removes it. */
  readonly file: string
}

/** Lines that are put in order at once: few enough that all of it stays in the caches. */
const RUN_LINES = 1 << 16
const SIGN = 0x80000000

/**
 * Numbers of lines in the order of documents: by popularity, then best sellers, then stars (none last), all descending, then
 * product id. Runs of lines are put in order and written to the file, and merged: in memory are 4 bytes of each product, and
 * some 6 MB. `runLines`: how many lines a run has.
 */
export function orderDocuments({ file, ...keys }: OrderKeys, runLines = RUN_LINES): Uint32Array {
  const spill = new SpillFile(file)
  try {
    const run = new OrderedRun(keys, Math.min(runLines, keys.ids.count))
    for (let first = 0; first < keys.ids.count; first += runLines)
      spill.append(run.records(first, Math.min(runLines, keys.ids.count - first)))
    return new MergedRuns(spill, { runLines, ids: keys.ids }).lines()
  } finally {
    spill.close()
  }
}

/** Lines one after the other, put in order in memory that is used again for the next ones. */
class OrderedRun {
  readonly #keys: Omit<OrderKeys, 'file'>
  readonly #words: Uint32Array
  readonly #columns: readonly Uint32Array[]
  readonly #records: Uint32Array
  readonly #memory: Uint8Array

  constructor(keys: Omit<OrderKeys, 'file'>, lineCount: number) {
    this.#keys = keys
    this.#words = new Uint32Array(RadixOrder.WORDS * lineCount)
    this.#columns = Array.from({ length: RECORD_WORDS - 1 }, () => new Uint32Array(lineCount))
    this.#records = new Uint32Array(RECORD_WORDS * lineCount)
    this.#memory = new Uint8Array(Float64Array.BYTES_PER_ELEMENT * lineCount)
  }

  /** What `MergedRuns` reads of the lines from `first` on, in order. */
  records(first: number, count: number): Uint32Array {
    const { popularity, ids } = this.#keys
    const columns = this.#columns.map((column) => column.subarray(0, count))
    const [popularities, stars, heads, tails] = columns as [
      Uint32Array,
      Uint32Array,
      Uint32Array,
      Uint32Array,
    ]
    const order = new RadixOrder(count, this.#words.subarray(0, RadixOrder.WORDS * count))
    order.by(ids.fourBytes(4, tails, first))
    order.by(ids.fourBytes(0, heads, first))
    // Eight bytes settle almost every tie, and for a fraction of what comparing costs.
    order.settle([heads, tails], (left, right) => ids.compare(first + left, first + right))
    order.by(this.#ratings(stars, first))
    order.by(descendingBits(popularities, popularity.read(this.#memory, { first, count })))
    const records = this.#records.subarray(0, RECORD_WORDS * count)
    for (let at = 0, n = 0; n < count; n++) {
      const row = order.rows[n]!
      records[at++] = popularities[row]!
      records[at++] = stars[row]!
      records[at++] = heads[row]!
      records[at++] = tails[row]!
      records[at++] = first + row
    }
    return records
  }

  /** Best sellers and stars as one number, written to `keys`. */
  #ratings(keys: Uint32Array, first: number): Uint32Array {
    const { stars, isBestSeller } = this.#keys
    const part = { first, count: keys.length }
    const numbers = stars.read(this.#memory, part)
    descendingBits(keys, numbers)
    // Ratings are not negative, which leaves the sign bit for best sellers and the greatest value for none.
    for (let line = 0; line < keys.length; line++)
      keys[line] = Number.isNaN(numbers[line]!) ? SIGN - 1 : keys[line]! - 1
    const best = isBestSeller.read(this.#memory, part)
    for (let line = 0; line < keys.length; line++) if (best[line] !== 1) keys[line]! += SIGN
    return keys
  }
}

/** Unsigned integers, ascending as the numbers descend; below 2 ** 31 where these are not negative. */
function descendingBits(bits: Uint32Array, values: Float32Array | Float64Array): Uint32Array {
  new Float32Array(bits.buffer, bits.byteOffset, bits.length).set(values)
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i]!
    if (value < SIGN) bits[i] = SIGN - 1 - value
  }
  return bits
}
