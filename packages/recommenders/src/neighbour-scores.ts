import { doesCount } from './confidence.ts'
import { LeadingItems } from './leading-items.ts'
import type { ItemFilter, ScoredItems, UserItems } from './model.ts'
import type { SparseMatrix } from './sparse-matrix.ts'
import { TopK } from './top-k.ts'

/** So many of the best scores are looked at first for each item asked for; the rest only where the filter left too few of them. */
const LEADING_PER_RESULT = 2

/**
 * The sum over a user's items of weight × row of an item–item matrix: scratch for one answer at a time, allocated once. Between
 * `add` and `clear` the first `count` of `touched` are the items that a row has, each once.
 */
export class NeighbourScores {
  /** By item; all zero before `add`, and after `clear`. */
  readonly scores: Float32Array
  /** With room for one more than there are items, which is written and not counted. */
  readonly touched: Uint32Array
  readonly #matrix: SparseMatrix
  readonly #leading: LeadingItems
  /** 1 where a score was added to: one of 0 may be the sum of others. */
  readonly #isTouched: Uint8Array

  /** `indexes` gives room for so many, such as in the memory of kernels. */
  constructor(
    matrix: SparseMatrix,
    indexes: (length: number) => Uint32Array = (length) => new Uint32Array(length),
  ) {
    this.#matrix = matrix
    this.scores = new Float32Array(matrix.columnCount)
    this.touched = indexes(matrix.columnCount + 1)
    this.#leading = new LeadingItems(this.scores)
    this.#isTouched = new Uint8Array(matrix.columnCount)
  }

  /** Answers how many items were touched. Cost: the entries of the user's rows. */
  add(user: UserItems): number {
    const { rowCount, starts, columns, values } = this.#matrix
    const { scores, touched } = this
    const isTouched = this.#isTouched
    let count = 0
    for (let n = 0; n < user.items.length; n++) {
      const item = user.items[n]!
      const weight = user.weights[n]!
      if (item >= rowCount || !doesCount(weight)) continue
      const end = starts[item + 1]!
      for (let at = starts[item]!; at < end; at++) {
        const other = columns[at]!
        // Without a branch, which would be taken half of the time.
        touched[count] = other
        count += 1 - isTouched[other]!
        isTouched[other] = 1
        scores[other]! += weight * values[at]!
      }
    }
    return count
  }

  /** The `k` best of the touched by these scores alone, of those above 0. */
  best(count: number, k: number, isAllowed: ItemFilter): ScoredItems {
    const top = new TopK(Math.min(k, count))
    const leading = this.moveToFront(count, LEADING_PER_RESULT * k)
    this.#offer(0, leading, top, isAllowed)
    if (!top.isFull) this.#offer(leading, count, top, isAllowed)
    return top.result()
  }

  /** See `LeadingItems.moveToFront`. */
  moveToFront(count: number, wanted: number): number {
    return this.#leading.moveToFront(this.touched, count, wanted)
  }

  clear(count: number): void {
    const { scores, touched } = this
    for (let n = 0; n < count; n++) {
      scores[touched[n]!] = 0
      this.#isTouched[touched[n]!] = 0
    }
  }

  #offer(from: number, to: number, top: TopK, isAllowed: ItemFilter): void {
    for (let n = from; n < to; n++) {
      const item = this.touched[n]!
      const score = this.scores[item]!
      if (score > 0 && score >= top.least && isAllowed(item)) top.offer(item, score)
    }
  }
}
