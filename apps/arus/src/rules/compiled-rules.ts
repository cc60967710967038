import type { Catalogue, Product } from '../catalogue/catalogue.ts'
import { type Exclusion, exclusionOf } from './exclusion.ts'
import type { CapRule, DiversifyRule, ExcludeRule, ExploreRule, PinRule, Rule, RuleKind } from './rule.ts'
import { categoryKeys, TargetIndex } from './target-index.ts'

/** How many products of a category may be in an answer, and the rule that says so. */
export interface Cap {
  readonly limit: number
  readonly rule: Rule
}

type OfKind<E extends { readonly kind: RuleKind }> = Rule & E

/**
 * Rules made ready to be applied: `rules` are all that are in force, in the order in which they were made. Of several that
 * diversify or explore, one that names its scenarios comes before one for all, then the newest.
 */
export class CompiledRules {
  /** The state of the shop's rules these are of; what was never stored has 0. */
  readonly revision: number
  readonly rules: readonly Rule[]
  /** By rank. */
  readonly pins: readonly OfKind<PinRule>[]
  readonly diversify: OfKind<DiversifyRule> | null
  readonly explore: OfKind<ExploreRule> | null
  readonly factors: TargetIndex
  readonly exclusions: TargetIndex
  readonly hasCaps: boolean
  readonly #excludes: readonly OfKind<ExcludeRule>[]
  readonly #caps: readonly OfKind<CapRule>[]
  readonly #capOf = new Map<string, Cap | null>()
  #exclusion: { readonly catalogue: Catalogue | null; readonly value: Exclusion | null } | null = null

  constructor(rules: readonly Rule[], revision: number) {
    this.revision = revision
    this.rules = rules
    this.pins = rules.filter((rule) => rule.kind === 'pin').sort((a, b) => a.rank - b.rank)
    this.diversify = foremost(rules.filter((rule) => rule.kind === 'diversify'))
    this.explore = foremost(rules.filter((rule) => rule.kind === 'explore'))
    this.factors = new TargetIndex(rules.filter((rule) => rule.kind === 'boost' || rule.kind === 'bury'))
    this.#excludes = rules.filter((rule) => rule.kind === 'exclude')
    this.exclusions = new TargetIndex(this.#excludes)
    this.#caps = rules.filter((rule) => rule.kind === 'cap')
    this.hasCaps = this.#caps.length > 0
  }

  /** The rule that keeps a product out, or null; one whose facts are not known is kept out when it might be meant. */
  excluderOf(productId: string, product: Product | undefined): Rule | null {
    if (this.exclusions.isEmpty) return null
    const rule = this.exclusions.about(productId, product)[0]
    if (rule !== undefined) return rule
    if (product !== undefined || !this.exclusions.mayBeAbout(productId)) return null
    return this.#excludes[0] ?? null
  }

  /** What is excluded without looking facts up; the same object as long as the catalogue is the same. */
  exclusionIn(catalogue: Catalogue | null): Exclusion | null {
    if (this.#exclusion === null || this.#exclusion.catalogue !== catalogue) {
      this.#exclusion = { catalogue, value: exclusionOf(this.#excludes, catalogue) }
    }
    return this.#exclusion.value
  }

  /** The strictest cap on a product's category; null where there is none, and for what has no category. */
  capOn(product: Product | undefined): Cap | null {
    if (!this.hasCaps || product === undefined) return null
    const key = categoryOf(product)
    if (key === null) return null
    let cap = this.#capOf.get(key)
    if (cap === undefined) {
      cap = this.#strictest(new Set(categoryKeys(product)))
      this.#capOf.set(key, cap)
    }
    return cap
  }

  #strictest(keys: ReadonlySet<string>): Cap | null {
    let strictest: Cap | null = null
    for (const rule of this.#caps) {
      const isMeant = rule.categories?.some((category) => keys.has(category.toLowerCase())) ?? true
      if (isMeant && (strictest === null || rule.per_category < strictest.limit)) {
        strictest = { limit: rule.per_category, rule }
      }
    }
    return strictest
  }
}

/** What tells the category of one product from that of another; null where it has none. */
export function categoryOf({ category_id, category }: Product): string | null {
  return category_id === null ? category : String(category_id)
}

function foremost<R extends Rule>(rules: readonly R[]): R | null {
  const [first] = [...rules].sort(
    (a, b) => Number(b.scenarios.length > 0) - Number(a.scenarios.length > 0) || b.created_at - a.created_at,
  )
  return first ?? null
}
