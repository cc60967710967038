import type { SparseMatrix } from '../sparse-matrix.ts'

/** The most popular share of the items that anybody had: the short head. The rest is the long tail. */
const HEAD_SHARE = 0.2

/** How popular in training items are, and what lists make of it. */
export class ItemPopularity {
  readonly #userCounts: Float64Array
  readonly #userCount: number
  readonly #isHead: Uint8Array

  /** `past`: user × item of training. */
  constructor(past: SparseMatrix) {
    this.#userCounts = new Float64Array(past.columnCount)
    for (const item of past.columns) this.#userCounts[item]! += 1
    this.#userCount = Math.max(1, past.rowCount)
    this.#isHead = headOf(this.#userCounts)
  }

  /**
   * Mean of −log2(share of users who have the item), in bits (Vargas and Castells, RecSys 2011, §4.1, without discount); an item nobody
   * has counts as if one user had it. NaN of an empty list.
   */
  noveltyOf(items: Uint32Array): number {
    return meanOf(items, (item) => -Math.log2(Math.max(1, this.#userCounts[item]!) / this.#userCount))
  }

  /** Mean number of training users of a list's items: averaged over users it is ARP (Abdollahpouri et al., FLAIRS 2019). NaN of an empty list. */
  averageOf(items: Iterable<number>): number {
    return meanOf(items, (item) => this.#userCounts[item]!)
  }

  /** Share of a list outside the short head, the most popular fifth: averaged over users it is APLT (same paper). NaN of an empty list. */
  longTailShareOf(items: Uint32Array): number {
    return meanOf(items, (item) => 1 - this.#isHead[item]!)
  }
}

function headOf(userCounts: Float64Array): Uint8Array {
  const had = Uint32Array.from(userCounts.keys()).filter((item) => userCounts[item]! > 0)
  had.sort((a, b) => userCounts[b]! - userCounts[a]! || a - b)
  const isHead = new Uint8Array(userCounts.length)
  for (const item of had.subarray(0, Math.ceil(HEAD_SHARE * had.length))) isHead[item] = 1
  return isHead
}

function meanOf(items: Iterable<number>, measure: (item: number) => number): number {
  let sum = 0
  let count = 0
  for (const item of items) {
    sum += measure(item)
    count += 1
  }
  return count === 0 ? Number.NaN : sum / count
}

/**
 * How unequally recommendations are spread over items: Σ (2i − n − 1) c_i / ((n − 1) Σ c_i) with counts c in rising order. 0: all alike,
 * 1: one item has all (Shani and Gunawardana, Recommender Systems Handbook 2011). 0 for fewer than two items.
 */
export function giniOf(counts: Float64Array): number {
  const n = counts.length
  const sorted = counts.slice().sort()
  let weighted = 0
  let sum = 0
  for (let place = 0; place < n; place++) {
    weighted += (2 * (place + 1) - n - 1) * sorted[place]!
    sum += sorted[place]!
  }
  return n < 2 || sum === 0 ? 0 : weighted / ((n - 1) * sum)
}
