import type { ItemFilter, ScoredItems } from './model.ts'

/**
 * The `k` best of scored items, best first; equal scores in order of the item's index. A heap of size k whose root is
 * the worst kept: O(n log k), no allocation beyond the result.
 */
export class TopK {
  readonly #k: number
  readonly #items: Uint32Array
  readonly #scores: Float32Array
  #size = 0

  constructor(k: number) {
    this.#k = Math.max(0, Math.floor(k))
    this.#items = new Uint32Array(this.#k)
    this.#scores = new Float32Array(this.#k)
  }

  /** What a score must reach to be taken: asking first saves the filter's time for most items. */
  get least(): number {
    return this.#size < this.#k ? Number.NEGATIVE_INFINITY : (this.#scores[0] ?? Number.POSITIVE_INFINITY)
  }

  /** Offers an item; NaN is never taken. */
  offer(item: number, score: number): void {
    if (this.#size < this.#k) {
      if (Number.isNaN(score)) return
      this.#items[this.#size] = item
      // Zero has one sign.
      this.#scores[this.#size] = score + 0
      this.#rise(this.#size++)
    } else if (this.#k > 0 && this.#isBetter(score, item, this.#scores[0]!, this.#items[0]!)) {
      this.#items[0] = item
      this.#scores[0] = score + 0
      this.#sink(0, this.#size)
    }
  }

  /** Ends the collection. */
  result(): ScoredItems {
    const size = this.#size
    const keys = new BigUint64Array(size)
    const words = new Uint32Array(keys.buffer)
    const bits = new Uint32Array(this.#scores.buffer, 0, size)
    for (let n = 0; n < size; n++) {
      words[2 * n + LOW] = ~this.#items[n]!
      words[2 * n + HIGH] = ascending(bits[n]!)
    }
    // Numbers are sorted natively, several times faster than by a comparison of ours.
    keys.sort()
    const items = new Uint32Array(size)
    const scores = new Float32Array(size)
    const scoreBits = new Uint32Array(scores.buffer)
    for (let n = 0; n < size; n++) {
      const from = 2 * (size - 1 - n)
      items[n] = ~words[from + LOW]!
      scoreBits[n] = original(words[from + HIGH]!)
    }
    return { items, scores }
  }

  #isBetter(score: number, item: number, other: number, otherItem: number): boolean {
    const rounded = Math.fround(score)
    return rounded > other || (rounded === other && item < otherItem)
  }

  #isWorse(a: number, b: number): boolean {
    return this.#isBetter(this.#scores[b]!, this.#items[b]!, this.#scores[a]!, this.#items[a]!)
  }

  #rise(at: number): void {
    let child = at
    while (child > 0) {
      const parent = (child - 1) >> 1
      if (!this.#isWorse(child, parent)) return
      this.#swap(child, parent)
      child = parent
    }
  }

  #sink(from: number, size: number): void {
    let parent = from
    for (;;) {
      let worst = parent
      for (const child of [2 * parent + 1, 2 * parent + 2])
        if (child < size && this.#isWorse(child, worst)) worst = child
      if (worst === parent) return
      this.#swap(parent, worst)
      parent = worst
    }
  }

  #swap(a: number, b: number): void {
    const item = this.#items[a]!
    const score = this.#scores[a]!
    this.#items[a] = this.#items[b]!
    this.#scores[a] = this.#scores[b]!
    this.#items[b] = item
    this.#scores[b] = score
  }
}

/** Where the halves of a 64-bit number stand in memory. */
const LOW = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1
const HIGH = 1 - LOW
const SIGN = 0x80000000

/** Bits of a float as a whole number that grows with it. */
function ascending(bits: number): number {
  return bits & SIGN ? ~bits : bits | SIGN
}

function original(ascendingBits: number): number {
  return ascendingBits & SIGN ? ascendingBits ^ SIGN : ~ascendingBits
}

/** Best of a dense array of scores; items with score 0 or less are left out. */
export function topOfScores(
  scores: Float32Array,
  touched: Iterable<number>,
  k: number,
  isAllowed: ItemFilter,
): ScoredItems {
  const top = new TopK(Math.min(k, scores.length))
  for (const item of touched) {
    const score = scores[item]!
    if (score > 0 && score >= top.least && isAllowed(item)) top.offer(item, score)
  }
  return top.result()
}

/** The filter asked for, or the default: everything but the user's own items. */
export function filterOf(own: Uint32Array, filter: ItemFilter | undefined): ItemFilter {
  if (filter !== undefined) return filter
  const mine = new Set(own)
  return (item) => !mine.has(item)
}
