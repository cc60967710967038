export interface MarginalRelevanceOptions<T> {
  /** 0 to 1: the share of relevance. */
  readonly lambda: number
  /** Of each item, in its order; comparable with similarity, so 0 to 1. */
  readonly relevance: readonly number[]
  /** 0 to 1. */
  readonly similarity: (a: T, b: T) => number
  /** What stands above already. */
  readonly above: readonly T[]
}

/**
 * Gives items one at a time, each the one with the highest marginal relevance (Carbonell and Goldstein, SIGIR 1998, the
 * equation of section 2): λ · relevance − (1 − λ) · its greatest similarity to what was given before. Of equals the first.
 * One step costs as many similarities as there are items left.
 */
export class MarginalRelevance<T> {
  readonly #items: readonly T[]
  readonly #options: MarginalRelevanceOptions<T>
  /** Greatest similarity of each item to what stands above it. */
  readonly #nearest: Float64Array
  readonly #isOut: Uint8Array

  constructor(items: readonly T[], options: MarginalRelevanceOptions<T>) {
    this.#items = items
    this.#options = options
    this.#nearest = new Float64Array(items.length)
    this.#isOut = new Uint8Array(items.length)
    for (const item of options.above) this.#comeNear(item)
  }

  /**
   * The next of the items that may be given, and its place among the items; null when there is none. One that may not be
   * given is not asked about again.
   */
  next(mayBe: (item: T) => boolean): { readonly item: T; readonly position: number } | null {
    for (let position = this.#best(); position >= 0; position = this.#best()) {
      const item = this.#items[position]!
      this.#isOut[position] = 1
      if (!mayBe(item)) continue
      this.#comeNear(item)
      return { item, position }
    }
    return null
  }

  #best(): number {
    const { lambda, relevance } = this.#options
    let best = -1
    let highest = Number.NEGATIVE_INFINITY
    for (let i = 0; i < this.#items.length; i++) {
      if (this.#isOut[i] === 1) continue
      const marginal = lambda * (relevance[i] ?? 0) - (1 - lambda) * this.#nearest[i]!
      if (marginal > highest) {
        best = i
        highest = marginal
      }
    }
    return best
  }

  #comeNear(item: T): void {
    const { lambda, similarity } = this.#options
    if (lambda === 1) return
    for (let i = 0; i < this.#items.length; i++) {
      if (this.#isOut[i] === 1) continue
      this.#nearest[i] = Math.max(this.#nearest[i]!, similarity(item, this.#items[i]!))
    }
  }
}

/** Scores, best first, as shares of the best; where that is not positive, by place: 1 / (1 + place). */
export function relevanceOf(scores: readonly number[]): number[] {
  const best = scores[0] ?? 0
  return scores.map((score, position) => (best > 0 ? Math.max(0, score) / best : 1 / (1 + position)))
}
