import { join } from 'node:path'
import type { ColumnFile } from './column-file.ts'
import type { IdFile } from './id-file.ts'
import { ID_KEY_BYTES, MergedRuns, RECORD_WORDS } from './merged-runs.ts'
import { RadixOrder } from './radix-order.ts'
import { Reordering } from './reordering.ts'
import { SpillFile } from './spill-file.ts'

/** What products are ordered by, each by the number of its line. */
export interface OrderKeys {
  readonly popularity: ColumnFile<Float32Array>
  /** NaN for none. */
  readonly stars: ColumnFile<Float64Array>
  /** 1 for a best seller. */
  readonly isBestSeller: ColumnFile<Uint8Array>
  readonly ids: IdFile
}

/** Lines that are put in order at once: few enough that all of it stays in the caches. */
const RUN_LINES = 1 << 16
const SIGN = 0x80000000

/**
 * Lines in the order of documents: by popularity, then best sellers, then stars (none last), all descending, then product id.
 * Runs of lines are put in order and written to files in `folder`, which the caller removes, and merged: in memory are some
 * 6 MB. `runLines`: how many lines a run has.
 */
export function orderDocuments(keys: OrderKeys, folder: string, runLines = RUN_LINES): Reordering {
  const records = new SpillFile(join(folder, 'order_records'))
  const ids = new SpillFile(join(folder, 'order_ids'))
  try {
    const { count } = keys.ids
    const run = new OrderedRun(keys, Math.min(runLines, count))
    const idStarts: number[] = []
    for (let first = 0; first < count; first += runLines) {
      run.read(first, Math.min(runLines, count - first))
      records.append(run.records)
      idStarts.push(ids.append(run.ids))
    }
    const merged = new MergedRuns({ records, ids, idStarts, runLines, count })
    return new Reordering(folder, merged.lines())
  } finally {
    records.close()
    ids.close()
  }
}

/** Lines one after the other, put in order in memory that is used again for the next ones. */
class OrderedRun {
  /** What `MergedRuns` reads, in order. */
  records: Uint32Array = new Uint32Array(0)
  /** What of the ids of the records is beyond the keys. */
  ids: Uint8Array = new Uint8Array(0)
  readonly #keys: OrderKeys
  readonly #words: Uint32Array
  readonly #columns: readonly Uint32Array[]
  readonly #records: Uint32Array
  readonly #memory: Uint8Array
  #ids: Uint8Array = new Uint8Array(0)

  constructor(keys: OrderKeys, lineCount: number) {
    this.#keys = keys
    this.#words = new Uint32Array(RadixOrder.WORDS * lineCount)
    this.#columns = Array.from({ length: 4 }, () => new Uint32Array(lineCount))
    this.#records = new Uint32Array(RECORD_WORDS * lineCount)
    this.#memory = new Uint8Array(Float64Array.BYTES_PER_ELEMENT * lineCount)
  }

  /** Takes the lines from `first` on. */
  read(first: number, count: number): void {
    const ids = this.#keys.ids.list(first, count)
    const columns = this.#columns.map((column) => column.subarray(0, count))
    const [popularities, stars, heads, tails] = columns as [
      Uint32Array,
      Uint32Array,
      Uint32Array,
      Uint32Array,
    ]
    const order = new RadixOrder(count, this.#words.subarray(0, RadixOrder.WORDS * count))
    ids.order(order, heads, tails)
    order.by(this.#ratings(stars, first))
    const { popularity } = this.#keys
    order.by(descendingBits(popularities, popularity.read(this.#memory, { first, count })))
    if (ids.byteCount > this.#ids.length) this.#ids = new Uint8Array(ids.byteCount + (ids.byteCount >> 2))
    const { rows } = order
    const { bytes, ends } = ids
    const records = this.#records
    const beyondKeys = this.#ids
    let at = 0
    let byteCount = 0
    for (let n = 0; n < count; n++) {
      const row = rows[n]!
      const start = row === 0 ? 0 : ends[row - 1]!
      const end = ends[row]!
      records[at++] = popularities[row]!
      records[at++] = stars[row]!
      records[at++] = heads[row]!
      records[at++] = tails[row]!
      records[at++] = first + row
      records[at++] = end - start
      for (let from = start + ID_KEY_BYTES; from < end; from++) beyondKeys[byteCount++] = bytes[from]!
    }
    this.records = records.subarray(0, at)
    this.ids = beyondKeys.subarray(0, byteCount)
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
