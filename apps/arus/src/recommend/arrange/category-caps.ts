import type { Product } from '../../catalogue/catalogue.ts'
import { type CompiledRules, categoryOf } from '../../rules/compiled-rules.ts'
import type { Rule } from '../../rules/rule.ts'

/** Counts the products of each category in an answer, against what rules allow. */
export class CategoryCaps {
  readonly #rules: CompiledRules
  readonly #counts = new Map<string, number>()

  constructor(rules: CompiledRules) {
    this.#rules = rules
  }

  /** The rule that has no room for one more like it; null where there is room. */
  refuserOf(product: Product | undefined): Rule | null {
    const cap = this.#rules.capOn(product)
    if (cap === null || product === undefined) return null
    return (this.#counts.get(categoryOf(product) ?? '') ?? 0) < cap.limit ? null : cap.rule
  }

  add(product: Product | undefined): void {
    this.#count(product, 1)
  }

  remove(product: Product | undefined): void {
    this.#count(product, -1)
  }

  #count(product: Product | undefined, change: number): void {
    if (!this.#rules.hasCaps || product === undefined) return
    const category = categoryOf(product)
    if (category !== null) this.#counts.set(category, (this.#counts.get(category) ?? 0) + change)
  }
}
