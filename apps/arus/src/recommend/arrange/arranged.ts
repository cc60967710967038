import type { Rule } from '../../rules/rule.ts'

/** What rules did to an answer. */
export interface Arranged {
  /** Those that changed something, with the products they touched. */
  readonly applied: readonly AppliedRule[]
  /** Null where no rule explores. */
  readonly exploration: Exploration | null
  /** What trended, as far as it was looked at, with its scores: these fade, and are not kept elsewhere. */
  readonly trending: readonly (readonly [product_id: string, score: number])[]
}

/** A rule and the products it touched. */
export interface AppliedRule {
  readonly rule: Rule
  readonly products: readonly string[]
}

/** How products were drawn at random. */
export interface Exploration {
  readonly probability: number
  /** Candidates that could be drawn for the first place. */
  readonly poolSize: number
  /** For each place of the answer, how likely the product there was, given those above it. */
  readonly propensities: readonly number[]
}

/** Collects what rules do. */
export class RuleEffects {
  readonly #touched = new Map<Rule, Set<string>>()

  note(rule: Rule, productId: string): void {
    const known = this.#touched.get(rule)
    if (known === undefined) this.#touched.set(rule, new Set([productId]))
    else known.add(productId)
  }

  applied(): AppliedRule[] {
    return Array.from(this.#touched, ([rule, products]) => ({ rule, products: [...products] }))
  }
}
