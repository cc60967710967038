import type { DiversifyRule, Rule } from '../../rules/rule.ts'
import type { RuleEffects } from './arranged.ts'
import type { CategoryCaps } from './category-caps.ts'
import { MarginalRelevance, relevanceOf } from './marginal-relevance.ts'
import { productSimilarity } from './product-similarity.ts'
import type { RankedCandidate } from './ranked-candidate.ts'

/** What is chosen from the candidates of one level after another. */
export class Selection {
  readonly chosen: RankedCandidate[] = []
  /** Those passed over, in order. */
  readonly rest: RankedCandidate[] = []
  readonly #limit: number
  readonly #above: readonly RankedCandidate[]
  readonly #diversify: (Rule & DiversifyRule) | null
  readonly #caps: CategoryCaps
  readonly #effects: RuleEffects

  constructor(options: {
    readonly limit: number
    /** What is in the answer whatever is chosen. */
    readonly above: readonly RankedCandidate[]
    readonly diversify: (Rule & DiversifyRule) | null
    readonly caps: CategoryCaps
    readonly effects: RuleEffects
  }) {
    this.#limit = options.limit
    this.#above = options.above
    this.#diversify = options.diversify
    this.#caps = options.caps
    this.#effects = options.effects
  }

  get isFull(): boolean {
    return this.chosen.length >= this.#limit
  }

  /** Takes what there is room for from the candidates of a level, best first. */
  take(candidates: readonly RankedCandidate[]): void {
    const window = this.#diversify?.window ?? 0
    const isTaken = new Set<RankedCandidate>()
    const near = candidates.slice(0, window)
    if (this.#diversify !== null && near.length > 0) this.#takeDiverse(near, this.#diversify, isTaken)
    for (const candidate of window === 0 ? candidates : candidates.slice(window)) {
      if (this.isFull) break
      if (this.#hasRoomFor(candidate)) this.#choose(candidate, isTaken)
    }
    for (const candidate of candidates) if (!isTaken.has(candidate)) this.rest.push(candidate)
  }

  #takeDiverse(
    candidates: readonly RankedCandidate[],
    rule: Rule & DiversifyRule,
    isTaken: Set<RankedCandidate>,
  ): void {
    const order = new MarginalRelevance(candidates, {
      lambda: rule.lambda,
      relevance: relevanceOf(candidates.map(({ score }) => score)),
      similarity: (a, b) => productSimilarity(a.product, b.product),
      above: [...this.#above, ...this.chosen],
    })
    while (!this.isFull) {
      const next = order.next((candidate) => this.#hasRoomFor(candidate))
      if (next === null) return
      const isMovedUp = candidates
        .slice(0, next.position)
        .some((better) => !isTaken.has(better) && this.#caps.refuserOf(better.product) === null)
      if (isMovedUp) this.#effects.note(rule, next.item.product_id)
      this.#choose(next.item, isTaken)
    }
  }

  #hasRoomFor({ product, product_id }: RankedCandidate): boolean {
    const refuser = this.#caps.refuserOf(product)
    if (refuser === null) return true
    this.#effects.note(refuser, product_id)
    return false
  }

  #choose(candidate: RankedCandidate, isTaken: Set<RankedCandidate>): void {
    isTaken.add(candidate)
    this.#caps.add(candidate.product)
    this.chosen.push(candidate)
  }
}
