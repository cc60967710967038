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

  /** True when there are `k`: from now on only better ones are taken. */
  get isFull(): boolean {
    return this.#size === this.#k
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
    } else if (this.#k > 0) {
      const rounded = Math.fround(score) + 0
      if (isBefore(rounded, item, this.#scores[0]!, this.#items[0]!)) this.#replaceWorst(item, rounded)
    }
  }

  /** Ends the collection, whose arrays the answer takes. */
  result(): ScoredItems {
    const size = this.#size
    const items = size === this.#k ? this.#items : this.#items.slice(0, size)
    const scores = size === this.#k ? this.#scores : this.#scores.slice(0, size)
    const { keys, words } = size <= SCRATCH.keys.length ? SCRATCH : scratchOf(size)
    const bits = new Uint32Array(scores.buffer)
    for (let n = 0; n < size; n++) {
      words[2 * n + LOW] = ~items[n]!
      words[2 * n + HIGH] = ascending(bits[n]!)
    }
    // Numbers are sorted natively, several times faster than by a comparison of ours.
    keys.subarray(0, size).sort()
    for (let n = 0; n < size; n++) {
      const from = 2 * (size - 1 - n)
      items[n] = ~words[from + LOW]!
      bits[n] = original(words[from + HIGH]!)
    }
    return { items, scores }
  }

  #rise(at: number): void {
    const items = this.#items
    const scores = this.#scores
    const item = items[at]!
    const score = scores[at]!
    let hole = at
    while (hole > 0) {
      const parent = (hole - 1) >> 1
      if (!isBefore(scores[parent]!, items[parent]!, score, item)) break
      items[hole] = items[parent]!
      scores[hole] = scores[parent]!
      hole = parent
    }
    items[hole] = item
    scores[hole] = score
  }

  /** Puts an item in place of the worst. */
  #replaceWorst(item: number, score: number): void {
    const items = this.#items
    const scores = this.#scores
    const size = this.#size
    let hole = 0
    for (let child = 1; child < size; child = 2 * hole + 1) {
      const other = child + 1
      if (other < size && isBefore(scores[child]!, items[child]!, scores[other]!, items[other]!))
        child = other
      if (!isBefore(score, item, scores[child]!, items[child]!)) break
      items[hole] = items[child]!
      scores[hole] = scores[child]!
      hole = child
    }
    items[hole] = item
    scores[hole] = score
  }
}

/** Whether an item ranks before another: scores as kept, in float32. */
function isBefore(score: number, item: number, other: number, otherItem: number): boolean {
  return score > other || (score === other && item < otherItem)
}

/** Where the halves of a 64-bit number stand in memory. */
const LOW = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1
const HIGH = 1 - LOW
/** Longer lists are few, and bring their own. */
const SCRATCH = scratchOf(1_024)

/** Room for so many keys, and the same as halves. */
function scratchOf(length: number): { readonly keys: BigUint64Array; readonly words: Uint32Array } {
  const keys = new BigUint64Array(length)
  return { keys, words: new Uint32Array(keys.buffer) }
}

const SIGN = 0x80000000

/** Bits of a float as a whole number that grows with it, of which 32 bits count. */
export function ascending(bits: number): number {
  return bits & SIGN ? ~bits : bits | SIGN
}

function original(ascendingBits: number): number {
  return ascendingBits & SIGN ? ascendingBits ^ SIGN : ~ascendingBits
}

/** The filter asked for, or the default: everything but the user's own items. */
export function filterOf(own: Uint32Array, filter: ItemFilter | undefined): ItemFilter {
  if (filter !== undefined) return filter
  const mine = new Set(own)
  return (item) => !mine.has(item)
}
