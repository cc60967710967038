import { ascending } from './top-k.ts'

/** Sign, exponent and three bits of the fraction: eight steps between a number and its double. */
const BUCKET_BITS = 12
const SHIFT = 32 - BUCKET_BITS

/**
 * Finds about so many of the largest scores in time that grows with their number alone: scores are counted by the leading bits of
 * their floats, as in the first round of a radix sort.
 */
export class LeadingItems {
  readonly #bits: Uint32Array
  readonly #counts = new Uint32Array(2 ** BUCKET_BITS)

  /** Scores by item, which may change afterwards. None may be NaN. */
  constructor(scores: Float32Array) {
    this.#bits = new Uint32Array(scores.buffer, scores.byteOffset, scores.length)
  }

  /**
   * Moves the items of the largest scores to the front of `items[0, count)` and answers how many these are: at least `wanted` where there
   * are so many, with all whose scores begin with the same bits as the last of them. So none that is left has a larger or the same score.
   */
  moveToFront(items: Uint32Array, count: number, wanted: number): number {
    if (count <= wanted) return count
    const bits = this.#bits
    const counts = this.#counts.fill(0)
    for (let n = 0; n < count; n++) counts[ascending(bits[items[n]!]!) >>> SHIFT]! += 1
    let least = counts.length
    for (let found = 0; found < wanted; ) found += counts[--least]!
    let kept = 0
    for (let n = 0; n < count; n++) {
      const item = items[n]!
      if (ascending(bits[item]!) >>> SHIFT < least) continue
      items[n] = items[kept]!
      items[kept++] = item
    }
    return kept
  }
}
